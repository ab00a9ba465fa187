/* SPDX-License-Identifier: Apache-2.0 */
/* Where options were set, and addresses to listen on. */
#include "conf/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf/listen.h"

struct things {
    struct listen_address a;
    int64_t n;
};

static const struct option rows[] = {
    OPTION_OTHER("a", struct things, a, &listen_address_type, .doc = "An address."),
    OPTION_INT("n", struct things, n, .doc = "A number."), OPTION_END};

/* The last place counts, for each struct on its own, and names of files are copied. */
static void test_origins(void **state)
{
    struct things one = {0};
    struct things other = {0};
    char file[] = "f.conf";
    const struct diag_place first = {.file = file, .line = 1, .column = 2};
    const struct diag_place second = {.file = file, .line = 3, .column = 4};
    const struct option_slot a = {.row = &rows[0], .base = &one};
    const struct option_slot n = {.row = &rows[1], .base = &one};
    const struct option_slot other_n = {.row = &rows[1], .base = &other};
    struct origins o = {0};

    (void)state;
    assert_null(origins_find(&o, &a));
    origins_add(&o, &a, &first);
    origins_add(&o, &n, &first);
    origins_add(&o, &a, &second);
    origins_add(&o, &n, NULL);
    file[0] = 'x';
    assert_int_equal(origins_find(&o, &a)->at.line, 3);
    assert_string_equal(origins_find(&o, &a)->at.file, "f.conf");
    assert_null(origins_find(&o, &n)->at.file); // the command line
    assert_null(origins_find(&o, &other_n));
    origins_deinit(&o);
}

static void expect_address(struct node value, const char *host, int64_t port, const char *printed)
{
    struct listen_address a = {0};
    struct diag d = {0};
    struct option_reader r = {.d = &d};
    struct buf text = {0};

    assert_int_equal(listen_address_type.read(&a, &value, &r), ST_OK);
    assert_true(str_equal(str_of(a.host), str_of(host)));
    assert_int_equal(a.port, port);
    listen_address_type.print(&a, &text);
    assert_true(str_equal(buf_str(&text), str_of(printed)));
    assert_true(listen_address_type.equal(&a, &a));
    assert_false(listen_address_type.equal(&a, &(struct listen_address){.port = 1}));
    listen_address_type.release(&a);
    assert_null(a.host);
    buf_deinit(&text);
    diag_deinit(&d);
}

static void expect_refusal(struct node value, const char *why)
{
    struct listen_address a = {0};
    struct diag d = {0};
    struct option_reader r = {.d = &d};

    assert_int_equal(listen_address_type.read(&a, &value, &r), ST_FAILED);
    assert_true(str_equal(diag_first(&d), str_of(why)));
    assert_null(a.host);
    diag_deinit(&d);
}

static struct node text_node(const char *text)
{
    return (struct node){.kind = NODE_STR, .text = str_of(text)};
}

static void test_addresses(void **state)
{
    (void)state;
    expect_address((struct node){.kind = NODE_INT, .number = -1}, NULL, -1, "-1");
    expect_address(text_node("127.0.0.1:4222"), "127.0.0.1", 4222, "\"127.0.0.1:4222\"");
    expect_address(text_node("[::1]:4222"), "::1", 4222, "\"[::1]:4222\"");
    expect_address(text_node(":4222"), NULL, 4222, "4222");
    expect_refusal(text_node("a:b"), "could not parse port \"b\"");
    expect_refusal(text_node("a"), "could not parse address string \"a\"");
    expect_refusal((struct node){.kind = NODE_BOOL}, "expected port or host:port, got bool");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
