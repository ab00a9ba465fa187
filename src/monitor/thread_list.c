/* SPDX-License-Identifier: Apache-2.0 */
/* As /proc/self/task says (proc(5)). */
#include "monitor/thread_list.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define TASKS "/proc/self/task"

/* What a file of a thread begins with, without a newline at the end; empty if it can not be
 * read. */
static const char *read_line(const char *thread, const char *name, char *out, size_t size)
{
    char path[64];
    FILE *f;

    out[0] = '\0';
    snprintf(path, sizeof(path), TASKS "/%.20s/%.20s", thread, name);
    f = fopen(path, "re");
    if (f && fgets(out, (int)size, f)) {
        out[strcspn(out, "\n")] = '\0';
    }
    if (f) {
        (void)fclose(f);
    }
    return out;
}

/* The state and the processor time are behind the name, which may hold anything. */
static void write_stat(struct buf *out, const char *stat)
{
    const char *end = strrchr(stat, ')');
    unsigned long user;
    unsigned long kernel;
    char state;

    /* NOLINTNEXTLINE(cert-err34-c): the kernel's */
    if (end && sscanf(end, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user,
                      &kernel) == 3) {
        double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);

        buf_printf(out, ", state %c, %.2fs user, %.2fs system", state, (double)user * tick,
                   (double)kernel * tick);
    }
}

/* Mostly for root only. */
static void write_kernel_stack(struct buf *out, const char *thread)
{
    char path[64];
    char line[256];
    FILE *f;

    snprintf(path, sizeof(path), TASKS "/%.20s/stack", thread);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        buf_printf(out, "    %s", line);
    }
    if (f) {
        (void)fclose(f);
    }
}

static void write_thread(struct buf *out, const char *thread)
{
    char line[512];

    buf_printf(out, "thread %s \"%s\"", thread, read_line(thread, "comm", line, sizeof(line)));
    write_stat(out, read_line(thread, "stat", line, sizeof(line)));
    read_line(thread, "wchan", line, sizeof(line));
    if (line[0] && strcmp(line, "0") != 0) {
        buf_printf(out, ", waits in %s", line);
    }
    buf_add(out, STR("\n"));
    write_kernel_stack(out, thread);
    buf_add(out, STR("\n"));
}

void thread_list_write(struct buf *out)
{
    struct dirent **entries;
    int n = scandir(TASKS, &entries, NULL, versionsort);

    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.') {
            write_thread(out, entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
}
