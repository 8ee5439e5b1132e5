/*
 * The command "millau" inside the image, which has no shell: the server, or one of its commands.
 *
 *     docker exec PROXY millau explain http://shop.example/
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **arguments) {
    static char *java[] = {"/opt/java/bin/java", "@/app/java.options", "-jar", "/app/millau-server.jar"};
    enum { FIRST = sizeof java / sizeof *java };
    char **command = calloc((size_t)(count + FIRST), sizeof *command);
    if (command == NULL) {
        perror("millau");
        return 1;
    }
    for (int i = 0; i < FIRST; i++) {
        command[i] = java[i];
    }
    for (int i = 1; i < count; i++) {
        command[FIRST + i - 1] = arguments[i];
    }
    execv(command[0], command);
    perror(command[0]);
    return 1;
}
