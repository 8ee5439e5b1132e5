/*
 * The health check inside the image: exit status 0 if an address answers "200". A JVM for each check would cost more
 * than the proxy itself.
 *
 *     probe [address] [path]        address: 9100, :9100, 127.0.0.1:9100 or [::1]:9100
 *
 * Without an address it takes the environment's TELEMETRY, and without that :9100.
 *
 * A check is cheap, but starting it is not: the engine needs some 70 ms of CPU to run a command in a container. So the
 * engine may start this one every second, to see soon that a new container is ready; but when the container is older
 * than that, it stays for twenty seconds, checks every second, and ends early only to report a failure. That has to be
 * well below thirty seconds, the engine's own limit where a health check names none: at that limit it would kill the
 * probe, and then the healthy container.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const double YOUNG = 15, START = 1, WATCH = 20, LONGEST_CHECK = 3; /* seconds */

static double since_boot(void) {
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How long the container runs: field 22 of /proc/1/stat is when its first process was started. */
static double age(void) {
    char text[1024] = "";
    unsigned long long started = 0;
    FILE *stat = fopen("/proc/1/stat", "r");
    if (stat) {
        text[fread(text, 1, sizeof text - 1, stat)] = '\0';
        fclose(stat);
    }
    const char *fields = strrchr(text, ')'); /* the name before may hold anything */
    if (fields) {
        sscanf(fields, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &started);
    }
    return since_boot() - (double)started / (double)sysconf(_SC_CLK_TCK);
}

/* Connects to the address, or to the loopback where it names no host or any; -1 if nothing listens there. */
static int open_connection(const char *address) {
    char host[64] = "";
    const char *colon = strrchr(address, ':');
    const char *port = colon ? colon + 1 : address;
    if (colon && colon != address) {
        int bracket = address[0] == '[';
        snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * bracket, address + bracket);
    }
    struct timeval timeout = {.tv_sec = 1};
    struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = ip4.sin_port};
    int is_ip6 = inet_pton(AF_INET6, host, &ip6.sin6_addr) == 1 && strcmp(host, "::") != 0;
    if (inet_pton(AF_INET, host, &ip4.sin_addr) != 1 || ip4.sin_addr.s_addr == INADDR_ANY) {
        ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    int connection = socket(is_ip6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    int failed = is_ip6 ? connect(connection, (struct sockaddr *)&ip6, sizeof ip6)
                        : connect(connection, (struct sockaddr *)&ip4, sizeof ip4);
    if (failed) {
        close(connection);
        return -1;
    }
    return connection;
}

/* Asks once; leaves the answer's first line, or what went wrong, in the text. An answer in small parts ends in time, too. */
static int healthy(const char *address, const char *path, char *text, size_t size) {
    double end = since_boot() + LONGEST_CHECK;
    int connection = open_connection(address);
    if (connection < 0) {
        snprintf(text, size, "nothing listens on %s", address);
        return 0;
    }
    dprintf(connection, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    size_t length = 0;
    ssize_t n;
    text[0] = '\0';
    while (length < size - 1 && !strchr(text, '\n') && since_boot() < end
           && (n = read(connection, text + length, size - 1 - length)) > 0) {
        length += (size_t)n;
        text[length] = '\0';
    }
    close(connection);
    text[strcspn(text, "\r\n")] = '\0';
    return strncmp(text, "HTTP/1.1 200", 12) == 0;
}

int main(int count, char **arguments) {
    const char *telemetry = getenv("TELEMETRY");
    const char *address = count > 1 ? arguments[1] : telemetry && *telemetry ? telemetry : ":9100";
    const char *path = count > 2 ? arguments[2] : "/ready";
    char text[512] = "";

    int young = age() < YOUNG;
    double end = since_boot() + (young ? START : WATCH);
    int good = healthy(address, path, text, sizeof text);
    while (good != young && since_boot() < end) { /* young: until it is good; later: as long as it is */
        usleep(young ? 20000 : 1000000);
        good = healthy(address, path, text, sizeof text);
    }
    puts(text); /* `docker inspect` shows what the last checks printed */
    return !good;
}
