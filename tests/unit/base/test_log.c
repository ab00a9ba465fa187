/* SPDX-License-Identifier: Apache-2.0 */
/* The log: line format, levels, rotation, reopening, remote syslog; and that threads do not mix
 * lines. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

#define TIME "[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6} "
#define PID "^\\[[0-9]+\\] "

static char dir[64];
static char file[128];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_log.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/x.log", dir);
    return 0;
}

static int remove_dir(void **state)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    (void)state;
    log_close();
    while ((e = readdir(d))) { // NOLINT(concurrency-mt-unsafe)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
    return rmdir(dir);
}

static void open_log(const struct log_options *o)
{
    struct diag d = {0};

    assert_int_equal(log_open(o, "tester", &d), ST_OK);
    diag_deinit(&d);
}

static void expect_failure(const struct log_options *o, const char *why)
{
    struct diag d = {0};

    assert_int_equal(log_open(o, "tester", &d), ST_FAILED);
    buf_add_char(&d.text, '\0');
    assert_string_equal(d.text.p, why);
    diag_deinit(&d);
}

/* The content of a file as a string, owned by the caller. */
static char *slurp(const char *path)
{
    struct buf b = {0};
    int fd = open(path, O_RDONLY);
    ssize_t n;

    assert_true(fd >= 0);
    while ((n = read(fd, buf_reserve(&b, 4096), 4096)) > 0) {
        b.n += (size_t)n;
    }
    close(fd);
    buf_add_char(&b, '\0');
    return b.p;
}

static void expect_match(const char *text, const char *pattern)
{
    regex_t re;

    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&re, text, 0, NULL, 0) != 0) {
        fail_msg("\"%s\" does not match %s", text, pattern);
    }
    regfree(&re);
}

static void expect_file(const char *pattern)
{
    char *text = slurp(file);

    expect_match(text, pattern);
    free(text);
}

/* Counts the directory's files whose name matches; the last such name goes to out. */
static int count_files(const char *pattern, char out[256])
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    regex_t re;
    int n = 0;

    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    while ((e = readdir(d))) { // NOLINT(concurrency-mt-unsafe)
        if (regexec(&re, e->d_name, 0, NULL, 0) == 0) {
            n++;
            snprintf(out, 256, "%s", e->d_name);
        }
    }
    closedir(d);
    regfree(&re);
    return n;
}

static void test_line_format(void **state)
{
    struct stat info;

    (void)state;
    open_log(&(struct log_options){.log_file = file, .logtime = true});
    log_info("one %d", 1);
    log_warn("two");
    log_error("three");
    log_fatal("four");
    log_debug("never %d", 5);
    log_trace("never");
    expect_file(PID TIME "\\[INF\\] one 1\n\\[[0-9]+\\] " TIME "\\[WRN\\] two\n\\[[0-9]+\\] " TIME
                         "\\[ERR\\] three\n\\[[0-9]+\\] " TIME "\\[FTL\\] four\n$");
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void test_options(void **state)
{
    (void)state;
    open_log(&(struct log_options){
        .log_file = file, .debug = true, .trace = true, .max_traced_msg_len = 7});
    assert_int_equal(log_max_traced_bytes(), 7);
    assert_true(log_enabled(LOG_DBG) && log_enabled(LOG_TRC));
    log_debug("d");
    log_trace("t");
    expect_file(PID "\\[DBG\\] d\n\\[[0-9]+\\] \\[TRC\\] t\n$");
    open_log(&(struct log_options){.log_file = file, .trace_verbose = true});
    assert_true(!log_enabled(LOG_DBG) && log_enabled(LOG_TRC));
}

static void test_control_characters(void **state)
{
    (void)state;
    open_log(&(struct log_options){.log_file = file});
    log_info("a\nb\r\033[2J\tc\177");
    expect_file(PID "\\[INF\\] a b  \\[2J\tc \n$");
}

static void test_long_lines(void **state)
{
    static const int lengths[] = {4095, 4096, 4097, 100000};
    char *text = malloc(100001);

    (void)state;
    memset(text, 'x', 100000);
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        open_log(&(struct log_options){.log_file = file});
        log_info("%.*s", lengths[i], text);
        char *content = slurp(file);
        const char *start = strstr(content, "[INF] ");
        assert_int_equal(strspn(start + 6, "x"), lengths[i]);
        assert_string_equal(start + 6 + lengths[i], "\n");
        free(content);
        (void)unlink(file);
    }
    free(text);
}

static void test_open_errors(void **state)
{
    (void)state;
    expect_failure(&(struct log_options){.log_file = "/nonexistent/x"},
                   "error opening file: open /nonexistent/x: no such file or directory\n");
    expect_failure(&(struct log_options){.remote_syslog = "foo://x"},
                   "error invalid network type: \"foo\"\n");
    expect_failure(&(struct log_options){.remote_syslog = "udp://127.0.0.1"},
                   "error connecting to syslog: \"dial udp: address 127.0.0.1: missing port in "
                   "address\"\n");
    expect_failure(&(struct log_options){.remote_syslog = "unix:///nonexistent"},
                   "error connecting to syslog: \"dial unix /nonexistent: connect: no such file or "
                   "directory\"\n");
}

#define BACKUP "^x\\.log\\.[0-9]{4}(\\.[0-9]{2}){5}\\.[0-9]{9}$"

static void test_rotation(void **state)
{
    char name[256];
    char path[512];

    (void)state;
    open_log(&(struct log_options){.log_file = file, .logfile_size_limit = 100});
    log_info("%080d", 1);
    assert_int_equal(count_files(BACKUP, name), 0);
    log_info("%080d", 2);
    assert_int_equal(count_files(BACKUP, name), 1);
    expect_file(PID
                "\\[INF\\] Rotated log, backup saved as \"/tmp/test_log\\.[^/]*/x\\.log\\.[0-9.]+"
                "\"\r\n$");
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    char *content = slurp(path);
    expect_match(content, PID "\\[INF\\] 0*1\n\\[[0-9]+\\] \\[INF\\] 0*2\n$");
    free(content);
}

static void write_file(const char *name)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_purge(void **state)
{
    char name[256];

    (void)state;
    write_file("x.log.2001.02.03.04.05.06.000000007");
    write_file("x.log.2001.13.03.04.05.06.000000007"); // no such month
    write_file("x.log.old");
    write_file("y.log.2001.02.03.04.05.06.000000007");
    open_log(
        &(struct log_options){.log_file = file, .logfile_size_limit = 60, .logfile_max_num = 3});
    log_info("%060d", 1);
    assert_int_equal(count_files(BACKUP, name), 3); // with the wrong month
    log_reopen();                                   // does not forget how many files to keep
    log_info("%060d", 2);
    log_info("%060d", 3);
    assert_int_equal(count_files(BACKUP, name), 3);
    assert_int_equal(count_files("^x.log.2001.02", name), 0);
    assert_int_equal(count_files("^x.log.2001.13", name), 1);
    assert_int_equal(count_files("^x.log.old$", name), 1);
    assert_int_equal(count_files("^y.log.2001", name), 1);
    expect_file("\\[INF\\] Purged log file \"x\\.log\\.[0-9.]+\"\r\n");
}

static void test_rotation_at_start(void **state)
{
    char name[256];
    char path[512];

    (void)state;
    open_log(&(struct log_options){.log_file = file});
    log_info("%0300d", 1);
    open_log(&(struct log_options){.log_file = file, .logfile_size_limit = 250});
    log_info("next");
    assert_int_equal(count_files(BACKUP, name), 1);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    char *content = slurp(path);
    expect_match(content, "\\[INF\\] Rotating logfile\\.\\.\\.\n$");
    free(content);
}

static void test_failed_rotation(void **state)
{
    (void)state;
    open_log(&(struct log_options){.log_file = file, .logfile_size_limit = 60});
    assert_int_equal(unlink(file), 0); // so that there is nothing to rename
    for (int i = 0; i < 10; i++) {
        log_info("%060d", i);
    }
    log_reopen();
    expect_file(PID "\\[INF\\] File log re-opened\n$");
}

static void test_reopen(void **state)
{
    char moved[256];

    (void)state;
    open_log(&(struct log_options){.log_file = file});
    log_info("before");
    snprintf(moved, sizeof(moved), "%s.1", file);
    assert_int_equal(rename(file, moved), 0);
    log_reopen();
    log_info("after");
    expect_file(PID "\\[INF\\] File log re-opened\n\\[[0-9]+\\] \\[INF\\] after\n$");
}

static void test_limited(void **state)
{
    static struct log_rate rate;

    (void)state;
    open_log(&(struct log_options){.log_file = file});
    for (int i = 0; i < 100; i++) {
        log_limited(&rate, LOG_WRN, "n %d", i);
    }
    expect_file(PID "\\[WRN\\] n 0\n$");
}

static void expect_datagram(int fd, const char *pattern)
{
    char text[1024];
    ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

    assert_true(n > 0);
    text[n] = '\0';
    expect_match(text, pattern);
}

static void test_remote_syslog(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char url[64];

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, sizeof(url), "udp://127.0.0.1:%d", ntohs(address.sin_port));
    open_log(&(struct log_options){.remote_syslog = url, .debug = true, .trace = true});
    log_info("i");
    expect_datagram(fd, "^<5>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                        "(Z|[-+][0-9]{2}:[0-9]{2}) [^ ]+ tester\\[[0-9]+\\]: i\n$");
    log_trace("t");
    expect_datagram(fd, "^<5>.*: t\n$");
    log_warn("w");
    expect_datagram(fd, "^<4>.*: w\n$");
    log_error("e");
    expect_datagram(fd, "^<3>.*: e\n$");
    log_fatal("f");
    expect_datagram(fd, "^<2>.*: f\n$");
    log_debug("d");
    expect_datagram(fd, "^<7>.*: d\n$");
    log_reopen();
    expect_datagram(fd, "^<5>.*: File log re-open ignored, not a file logger\n$");
    close(fd);
}

static void *write_lines(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++) {
        log_info("%0200d", i);
        log_debug("%d", i);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[4];
    size_t n_lines = 0;

    (void)state;
    open_log(&(struct log_options){.log_file = file, .logtime = true});
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    char *text = slurp(file);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        assert_int_equal(*line, '[');
        assert_int_equal(strcspn(line, "\n"), strcspn(text, "\n"));
        n_lines++;
    }
    assert_int_equal(n_lines, 4 * 500);
    free(text);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(test_line_format),
        LOG_TEST(test_options),
        LOG_TEST(test_control_characters),
        LOG_TEST(test_long_lines),
        LOG_TEST(test_open_errors),
        LOG_TEST(test_rotation),
        LOG_TEST(test_purge),
        LOG_TEST(test_rotation_at_start),
        LOG_TEST(test_failed_rotation),
        LOG_TEST(test_reopen),
        LOG_TEST(test_limited),
        LOG_TEST(test_remote_syslog),
        LOG_TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
