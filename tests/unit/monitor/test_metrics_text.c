/* SPDX-License-Identifier: Apache-2.0 */
/* The text of OpenMetrics: labels, names made of documents, histograms. */
#include "monitor/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn/histogram.h"

static struct metrics_text text_to(struct buf *out)
{
    return (struct metrics_text){.out = out, .server_id = STR("N1")};
}

static void expect(struct buf *b, const char *want)
{
    buf_add_char(b, '\0');
    assert_string_equal(b->p, want);
    buf_deinit(b);
}

static void test_families(void **state)
{
    struct buf out = {0};
    struct metrics_text t = text_to(&out);

    (void)state;
    metrics_gauge(&t, "g", 7);
    metrics_info(&t, "i", STR("x"));
    metrics_begin(&t, "f", "gauge", "Says it.");
    metrics_add(&t, "f", (struct metrics_label[]){{"a", STR("1")}, {"b", STR("2")}, {0}},
                UINT64_MAX);
    metrics_end(&t);
    expect(&out, "# TYPE g gauge\ng{server_id=\"N1\"} 7\n"
                 "# TYPE i gauge\ni{server_id=\"N1\",value=\"x\"} 1\n"
                 "# TYPE f gauge\n# HELP f Says it.\n"
                 "f{server_id=\"N1\",a=\"1\",b=\"2\"} 18446744073709551615\n# EOF\n");
}

static void test_escapes(void **state)
{
    struct buf out = {0};
    struct metrics_text t = text_to(&out);

    (void)state;
    metrics_info(&t, "i", STR("a\"b\\c\nd\xc3\xa9"));
    expect(&out, "# TYPE i gauge\n"
                 "i{server_id=\"N1\",value=\"a\\\"b\\\\c\\nd\xc3\xa9\"} 1\n");
}

static void test_flatten(void **state)
{
    struct buf out = {0};
    struct metrics_text t = text_to(&out);

    (void)state;
    metrics_flatten(&t, "nats_varz",
                    STR("{\"port\":4222,\"name\":\"n\",\"empty\":{},\"tags\":[1,2],\"cpu\":0.5,"
                        "\"http_req_stats\":{\"/\":1,\"/varz\":2,\"/a//b-c\":3},\"ok\":true,"
                        "\"deep\":{\"er\":{\"x\":-1}},\"none\":null,\"last\":9}"));
    expect(&out, "# TYPE nats_varz_port gauge\nnats_varz_port{server_id=\"N1\"} 4222\n"
                 "# TYPE nats_varz_cpu gauge\nnats_varz_cpu{server_id=\"N1\"} 0.5\n"
                 "# TYPE nats_varz_http_req_stats gauge\n"
                 "nats_varz_http_req_stats{server_id=\"N1\"} 1\n"
                 "# TYPE nats_varz_http_req_stats_varz gauge\n"
                 "nats_varz_http_req_stats_varz{server_id=\"N1\"} 2\n"
                 "# TYPE nats_varz_http_req_stats_a_b_c gauge\n"
                 "nats_varz_http_req_stats_a_b_c{server_id=\"N1\"} 3\n"
                 "# TYPE nats_varz_deep_er_x gauge\nnats_varz_deep_er_x{server_id=\"N1\"} -1\n"
                 "# TYPE nats_varz_last gauge\nnats_varz_last{server_id=\"N1\"} 9\n");
}

static size_t count_lines(const struct buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        n += b->p[i] == '\n';
    }
    return n;
}

/* Each bucket counts all values up to its limit. */
static void test_histogram(void **state)
{
    struct buf out = {0};
    struct metrics_text t = text_to(&out);
    struct histogram_sum h = {.n = {1, 0, 2, [HISTOGRAM_BUCKETS - 1] = 1}, .sum = 1500000};

    (void)state;
    metrics_histogram(&t, "h", &(struct metrics_label){"worker", STR("1")}, &h, 1e-6);
    assert_int_equal(count_lines(&out), HISTOGRAM_BUCKETS + 2);
    buf_add_char(&out, '\0');
    assert_non_null(strstr(out.p, "h_bucket{server_id=\"N1\",le=\"1e-06\",worker=\"1\"} 1\n"
                                  "h_bucket{server_id=\"N1\",le=\"2e-06\",worker=\"1\"} 1\n"
                                  "h_bucket{server_id=\"N1\",le=\"4e-06\",worker=\"1\"} 3\n"));
    assert_non_null(strstr(out.p, "h_bucket{server_id=\"N1\",le=\"+Inf\",worker=\"1\"} 4\n"
                                  "h_sum{server_id=\"N1\",worker=\"1\"} 1.5\n"
                                  "h_count{server_id=\"N1\",worker=\"1\"} 4\n"));
    out.n = 0;
    metrics_histogram(&t, "h", NULL, &h, 1);
    buf_add_char(&out, '\0');
    assert_non_null(strstr(out.p, "h_bucket{server_id=\"N1\",le=\"4.0\"} 3\n"));
    assert_non_null(strstr(out.p, "h_sum{server_id=\"N1\"} 1500000\n"));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_flatten),
        cmocka_unit_test(test_histogram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
