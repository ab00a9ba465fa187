/* SPDX-License-Identifier: Apache-2.0 */
/* The pid file. nats-server leaves it behind; we remove it on a clean exit, so that nobody signals
 * an unrelated process that got the number later. */
#include "server/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/os_error.h"
#include "base/status.h"

#define PID_TEXT_SIZE 16

static size_t format_own_pid(char out[PID_TEXT_SIZE])
{
    return (size_t)snprintf(out, PID_TEXT_SIZE, "%d", (int)getpid());
}

enum status pid_file_write(const char *path, struct diag *d)
{
    char text[PID_TEXT_SIZE];
    size_t n = format_own_pid(text);
    int err = 0;

    if (!path || !path[0]) {
        return ST_OK;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        diag_error(d, NULL, "open %s: %s", path, os_error(errno).text);
        return ST_FAILED;
    }
    ssize_t done = write(fd, text, n);
    if (done != (ssize_t)n) {
        err = done < 0 ? errno : ENOSPC;
    }
    if (close(fd) != 0 && !err) {
        err = errno;
    }
    if (err) {
        diag_error(d, NULL, "write %s: %s", path, os_error(err).text);
        return ST_FAILED;
    }
    return ST_OK;
}

void pid_file_remove(const char *path)
{
    char text[PID_TEXT_SIZE];
    char content[PID_TEXT_SIZE];
    size_t n = format_own_pid(text);

    if (!path || !path[0]) {
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    ssize_t done = read(fd, content, sizeof(content));
    close(fd);
    if (done == (ssize_t)n && memcmp(content, text, n) == 0) {
        (void)unlink(path); // gone already, or not ours to remove: nothing to be done about it
    }
}
