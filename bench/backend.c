/*
 * What stands behind the proxies: answers as cheaply as it can, on every loopback address, with two threads.
 *
 *     backend PORT CLOSING SILENT
 *
 * PORT     GET /json             250 bytes of JSON
 *          GET /bytes/N          N bytes with Content-Length
 *          GET /text/N           N bytes of JSON that compresses to a quarter
 *          GET /chunked/N        N bytes in chunks of 8 KiB
 *          POST anything         reads the whole body, then says how long it was
 *          GET /answers          how many answers it gave so far
 * CLOSING  closes every connection when it has read something: in turn orderly and with a reset
 * SILENT   reads and never answers
 *
 * It believes its clients, which are proxies: no limits, no checks.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 2, HEAD = 16 * 1024, READ = 256 * 1024, CHUNK = 8 * 1024, CHUNKS = 64 };
enum behaviour { GOOD, CLOSING, SILENT };

static const char JSON_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 250\r\n\r\n";
static char json_answer[sizeof JSON_HEAD - 1 + 250];
static char bytes[CHUNK * CHUNKS];
static char text[sizeof bytes];
static char chunks[(CHUNK + 8) * CHUNKS]; /* "2000\r\n", the bytes, "\r\n" */

struct connection {
    int fd;
    enum behaviour behaviour;
    int writing;         /* waits until it can write */
    size_t head_length;  /* of the request's head, as far as it was read */
    long long body_left; /* of the request's body; -1: chunked, ends with an empty chunk */
    long long body;      /* length of the request's body so far */
    int answering;       /* head is complete, body not yet */
    char tail[5];        /* last bytes of a chunked body */
    /* The answer: a piece of text, then a body, then perhaps another piece. */
    const char *text;
    size_t text_length, text_sent;
    const char *body_bytes;
    long long left; /* of the body */
    int chunked;
    int last;       /* the end of a chunked body was said */
    char small[256];
    char head[HEAD];
};

static int pollers[THREADS];
static long long answers; /* of both threads */

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void end(struct connection *c) {
    close(c->fd);
    free(c);
}

static void say(struct connection *c, const char *text, size_t length) {
    c->text = text;
    c->text_length = length;
    c->text_sent = 0;
}

static void say_number(struct connection *c, const char *name, long long number) {
    char json[64];
    int length = sprintf(json, "{\"%s\":%lld}", name, number);
    say(c, c->small, (size_t)sprintf(c->small,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, json));
}

static void answer(struct connection *c) {
    long long number = __atomic_add_fetch(&answers, 1, __ATOMIC_RELAXED);
    c->answering = 0;
    c->left = 0;
    c->body_bytes = bytes;
    c->chunked = c->last = 0;
    if (strncmp(c->head, "GET /json", 9) == 0) {
        say(c, json_answer, sizeof json_answer);
    } else if (strncmp(c->head, "GET /bytes/", 11) == 0) {
        c->left = atoll(c->head + 11);
        say(c, c->small, (size_t)sprintf(c->small,
                "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %lld\r\n\r\n", c->left));
    } else if (strncmp(c->head, "GET /text/", 10) == 0) {
        c->left = atoll(c->head + 10);
        c->body_bytes = text;
        say(c, c->small, (size_t)sprintf(c->small,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %lld\r\n\r\n", c->left));
    } else if (strncmp(c->head, "GET /chunked/", 13) == 0) {
        c->left = atoll(c->head + 13);
        c->chunked = 1;
        say(c, c->small, (size_t)sprintf(c->small,
                "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"));
    } else if (strncmp(c->head, "POST ", 5) == 0) {
        say_number(c, "received", c->body);
    } else if (strncmp(c->head, "GET /answers ", 13) == 0) {
        say_number(c, "answers", number);
    } else {
        say(c, c->small, (size_t)sprintf(c->small, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    }
}

/* The next bytes to send; 0 if there are none. */
static size_t piece(struct connection *c, const char **from) {
    if (c->text_sent < c->text_length) {
        *from = c->text + c->text_sent;
        return c->text_length - c->text_sent;
    }
    if (c->left > 0 && !c->chunked) {
        *from = c->body_bytes;
        return c->left < (long long)sizeof bytes ? (size_t)c->left : sizeof bytes;
    }
    if (c->chunked && c->left >= CHUNK) {
        long long whole = c->left / CHUNK < CHUNKS ? c->left / CHUNK : CHUNKS;
        c->left -= whole * CHUNK;
        say(c, chunks, (size_t)whole * (CHUNK + 8));
        return piece(c, from);
    }
    if (c->chunked && !c->last) { /* what is left fits where the request's head was */
        size_t n = 0;
        if (c->left > 0) {
            n = (size_t)sprintf(c->head, "%llx\r\n", c->left);
            memset(c->head + n, 'x', (size_t)c->left);
            n += (size_t)c->left;
            n += (size_t)sprintf(c->head + n, "\r\n");
        }
        n += (size_t)sprintf(c->head + n, "0\r\n\r\n");
        c->last = 1;
        c->left = 0;
        say(c, c->head, n);
        return piece(c, from);
    }
    return 0;
}

static void sent(struct connection *c, size_t n) {
    if (c->text_sent < c->text_length) {
        c->text_sent += n;
    } else {
        c->left -= (long long)n;
    }
}

/* Sends what there is to send; 0 if the connection is gone, 1 if all is sent, 2 if it has to wait. */
static int flush(struct connection *c) {
    const char *from;
    size_t length;
    while ((length = piece(c, &from)) > 0) {
        int more = c->text_sent < c->text_length && c->left > 0;
        ssize_t n = send(c->fd, from, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        if (n < 0) {
            return errno == EAGAIN ? 2 : 0;
        }
        sent(c, (size_t)n);
    }
    return 1;
}

/* Takes a part of the request's body; returns how much of it that was. */
static size_t take_body(struct connection *c, const char *from, size_t length) {
    if (c->body_left >= 0) {
        size_t n = (long long)length < c->body_left ? length : (size_t)c->body_left;
        c->body_left -= (long long)n;
        c->body += (long long)n;
        if (c->body_left == 0) {
            answer(c);
        }
        return n;
    }
    c->body += (long long)length;
    size_t keep = length < sizeof c->tail ? length : sizeof c->tail;
    memmove(c->tail, c->tail + keep, sizeof c->tail - keep);
    memcpy(c->tail + sizeof c->tail - keep, from + length - keep, keep);
    if (memcmp(c->tail, "0\r\n\r\n", 5) == 0) {
        answer(c);
    }
    return length;
}

/* Takes a part of the request's head, up to its end; returns how much that was. */
static size_t take_head(struct connection *c, const char *from, size_t length) {
    size_t before = c->head_length;
    size_t n = length < HEAD - 1 - before ? length : HEAD - 1 - before;
    memcpy(c->head + before, from, n);
    size_t search = before < 3 ? 0 : before - 3;
    char *found = memmem(c->head + search, before + n - search, "\r\n\r\n", 4);
    if (!found) {
        c->head_length += n;
        return n;
    }
    size_t head = (size_t)(found - c->head) + 4;
    c->head[head] = '\0';
    c->head_length = 0;
    c->body = 0;
    c->body_left = 0;
    memset(c->tail, 0, sizeof c->tail);
    if (c->head[0] == 'P') {
        char *value = strcasestr(c->head, "\r\nContent-Length:");
        c->body_left = value ? atoll(value + 17) : strcasestr(c->head, "\r\nTransfer-Encoding:") ? -1 : 0;
    }
    c->answering = 1;
    if (c->body_left == 0) {
        answer(c);
    }
    return head - before;
}

static void misbehave(struct connection *c) {
    static __thread int turn;
    if (c->behaviour == CLOSING) {
        if (turn++ % 2) {
            struct linger reset = {.l_onoff = 1};
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        }
        end(c);
    }
}

static void handle(int poller, struct connection *c) {
    static __thread char input[READ];
    int result = 1;
    if (c->writing) {
        result = flush(c);
        if (result == 2) {
            return;
        }
        c->writing = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    } else {
        ssize_t n = recv(c->fd, input, sizeof input, 0);
        if (n <= 0) {
            if (n == 0 || errno != EAGAIN) {
                end(c);
            }
            return;
        }
        if (c->behaviour != GOOD) {
            misbehave(c);
            return;
        }
        const char *from = input;
        while (n > 0) {
            size_t taken = (c->answering ? take_body : take_head)(c, from, (size_t)n);
            from += taken;
            n -= (ssize_t)taken;
        }
        if (!c->answering && c->head_length == 0) {
            result = flush(c);
        }
        if (result == 2) {
            c->writing = 1;
            struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
            epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
        }
    }
    if (result == 0) {
        end(c);
    }
}

static void *serve(void *poller) {
    struct epoll_event events[256];
    int fd = *(int *)poller;
    for (;;) {
        int n = epoll_wait(fd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            handle(fd, events[i].data.ptr);
        }
    }
    return NULL;
}

static int listen_on(const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
        fail(port);
    }
    return fd;
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "usage: backend PORT CLOSING SILENT\n");
        return 2;
    }
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < CHUNKS; i++) {
        char *chunk = chunks + i * (CHUNK + 8);
        memcpy(chunk, "2000\r\n", 6);
        memset(chunk + 6, 'x', CHUNK);
        memcpy(chunk + 6 + CHUNK, "\r\n", 2);
    }
    for (size_t n = 0, line; n < sizeof text; n += line) {
        char item[128];
        line = (size_t)sprintf(item, "{\"id\":%d,\"name\":\"%s\",\"price\":%d.%02d,\"tags\":[\"%08x\",\"new\"],\"active\":%s},\n",
                rand() % 1000000, rand() % 2 ? "Ada" : "Barbara", rand() % 1000, rand() % 100, (unsigned)rand(),
                rand() % 2 ? "true" : "false");
        memcpy(text + n, item, n + line < sizeof text ? line : sizeof text - n);
    }
    memcpy(json_answer, JSON_HEAD, sizeof JSON_HEAD - 1);
    char *json = json_answer + sizeof JSON_HEAD - 1;
    memset(json, 'x', 250);
    memcpy(json, "{\"text\":\"", 9);
    memcpy(json + 248, "\"}", 2);

    int acceptor = epoll_create1(0);
    for (int i = GOOD; i <= SILENT; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        int listener = listen_on(arguments[1 + i]);
        event.data.u64 = ((unsigned long long)i << 32) | (unsigned)listener;
        epoll_ctl(acceptor, EPOLL_CTL_ADD, listener, &event);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        pollers[i] = epoll_create1(0);
        pthread_create(&thread, NULL, serve, &pollers[i]);
    }
    for (int turn = 0;; turn++) {
        struct epoll_event event;
        if (epoll_wait(acceptor, &event, 1, -1) != 1) {
            continue;
        }
        struct sockaddr_in client;
        socklen_t length = sizeof client;
        int fd = accept4((int)(event.data.u64 & 0xffffffff), (struct sockaddr *)&client, &length, SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                fail("accept");
            }
            continue;
        }
        if (ntohl(client.sin_addr.s_addr) >> 24 != 127) { /* not for the network */
            close(fd);
            continue;
        }
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct connection *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->behaviour = (enum behaviour)(event.data.u64 >> 32);
        struct epoll_event first = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(pollers[turn % THREADS], EPOLL_CTL_ADD, fd, &first);
    }
}
