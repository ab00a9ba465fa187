/* SPDX-License-Identifier: Apache-2.0 */
/* As /proc says (proc(5)). */
#include "base/process.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

int64_t process_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * CLOCK_SEC_NS + t.tv_nsec;
}

uint64_t process_resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long total;
    unsigned long long pages = 0;

    if (!f) {
        return 0;
    }
    if (fscanf(f, "%llu %llu", &total, &pages) != 2) { // NOLINT(cert-err34-c): the kernel's
        pages = 0;
    }
    (void)fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
