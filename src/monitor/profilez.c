/* SPDX-License-Identifier: Apache-2.0 */
/* PROFILEZ: a profile by its name, as text (monitor/profiles.h). What is wrong is part of the
 * document. */
#include <stddef.h>

#include "base/attr.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/quote.h"
#include "monitor/doc.h"
#include "monitor/profiles.h"
#include "monitor/query.h"
#include "monitor/thread_list.h"

#define MOST_CPU_NS (15 * CLOCK_SEC_NS)

struct profilez_options {
    struct str name;
    int64_t debug; // text is all there is
    int64_t duration_ns;
};

/** Appends a profile, or what is wrong. */
typedef void (*profile_fn)(const struct profilez_options *o, struct buf *profile,
                           struct buf *error);

static void tell_memory(const struct profilez_options *o, struct buf *profile, struct buf *error)
{
    (void)o;
    profile_write_memory(profile);
    if (!profile->n) {
        buf_add(error, STR("malloc tells nothing"));
    }
}

static void tell_threads(const struct profilez_options *o, struct buf *profile, struct buf *error)
{
    (void)o;
    (void)error;
    thread_list_write(profile);
}

static void refuse_cpu(const struct profilez_options *o, struct buf *profile, struct buf *error)
{
    char duration[CLOCK_DURATION_MAX];

    (void)profile;
    if (o->duration_ns <= 0 || o->duration_ns > MOST_CPU_NS) {
        clock_format_duration(o->duration_ns, duration);
        buf_printf(error, "Duration %s should be between 0s and 15s", duration);
    } else {
        profile_refuse_cpu(error);
    }
}

static void refuse(const struct profilez_options *o, struct buf *profile, struct buf *error)
{
    (void)profile;
    profile_refuse(o->name, error);
}

static const struct {
    const char *name;
    profile_fn tell;
} profiles[] = {
    {"allocs", tell_memory},   {"block", refuse},
    {"cpu", refuse_cpu},       {"goroutine", refuse},
    {"goroutineleak", refuse}, {"heap", tell_memory},
    {"mutex", refuse},         {"threadcreate", tell_threads},
};

static void look_up(const struct profilez_options *o, struct buf *profile, struct buf *error)
{
    if (o->name.n == 0) {
        buf_add(error, STR("Profile name not specified"));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        if (str_equal(o->name, str_of(profiles[i].name))) {
            profiles[i].tell(o, profile, error);
            return;
        }
    }
    buf_add(error, STR("Profile "));
    quote_go(error, o->name);
    buf_add(error, STR(" not found"));
}

static void answer(struct query *q)
{
    struct buf profile = {0};
    struct buf error = {0};
    struct buf text = {0};
    struct json *j = &q->json;

    look_up(q->options, &profile, &error);
    json_open_object(j);
    json_key(j, "profile");
    if (error.n) {
        json_raw(j, STR("null"));
    } else {
        base64_add(&text, buf_str(&profile));
        json_str(j, buf_str(&text));
    }
    json_add_str(j, "error", buf_str(&error));
    json_close_object(j);
    buf_deinit(&text);
    buf_deinit(&profile);
    buf_deinit(&error);
    query_finish(q);
}

static const struct doc_option options[] = {
    {NULL, "name", DOC_OPTION_STR, offsetof(struct profilez_options, name), 0},
    {NULL, "debug", DOC_OPTION_INT, offsetof(struct profilez_options, debug), 0},
    {NULL, "duration", DOC_OPTION_INT, offsetof(struct profilez_options, duration_ns), 0},
};

extern const struct doc profilez_doc;
const struct doc profilez_doc = {.name = "PROFILEZ",
                                 .options = options,
                                 .n_options = ARRAY_SIZE(options),
                                 .options_bytes = sizeof(struct profilez_options),
                                 .answer = answer};
