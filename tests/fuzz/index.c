/* SPDX-License-Identifier: Apache-2.0 */
/* Input: operations on a subject index, a byte each, with their operands behind. The index against
 * a list of subscriptions that is searched from end to end (tests/unit/broker/index_model.h). */
#include "broker/index.h"

#include "fuzz.h"
#include "index_model.h"
#include "proto/subject.h"

#define MAX_SUBS 200u // the model is slow

struct input {
    const uint8_t *p;
    size_t n;
};

static uint8_t next_byte(struct input *in)
{
    if (!in->n) {
        return 0;
    }
    in->n--;
    return *in->p++;
}

/* A subject of up to 8 tokens, each chosen by half a byte; the other half says whether more
 * follow. */
static struct str next_subject(struct input *in, char out[64])
{
    static const char *const tokens[16] = {"a",  "b", "c",  "aa",  "ab", "*",     "*",  "*",
                                           "**", ">", "a>", "a*b", "",   "bbbbb", "ca", "A"};
    size_t n = 0;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t b = next_byte(in);
        struct str token = str_of(tokens[b % 16]);

        if (i) {
            out[n++] = '.';
        }
        memcpy(out + n, token.p, token.n);
        n += token.n;
        if (b < 128) {
            break;
        }
    }
    return (struct str){.p = out, .n = n};
}

static const char *const queues[4] = {"", "", "q", "qq"};

/* The other way round, or for listeners. */
static void run_question(struct model *m, struct input *in, uint8_t b)
{
    char bytes[64];
    struct str subject = next_subject(in, bytes);

    if (b < 128) {
        model_check_match(m, subject);
    } else if (b < 160) {
        model_toggle_listener(m, b / 4 % MODEL_LISTENERS, subject,
                              str_of(queues[next_byte(in) % 4]));
    } else if (subject_is_valid(subject)) {
        model_check_reverse(m, subject, b < 208 ? TRIE_COVERED : TRIE_OVERLAPS);
    }
}

static void run_operation(struct model *m, struct input *in)
{
    uint8_t b = next_byte(in);
    char bytes[64];
    struct str subject;

    switch (b % 4) {
    case 0:
    case 1:
        subject = next_subject(in, bytes);
        if (subject_is_valid(subject) && m->n < MAX_SUBS) {
            model_add(m, subject, str_of(queues[b / 4 % 4]));
        }
        break;
    case 2:
        run_question(m, in, b);
        break;
    default:
        if (m->n > 4 && b >= 224) {
            model_remove_all(m, next_byte(in) % (m->n - 4), 4);
        } else if (m->n) {
            model_remove(m, next_byte(in) % m->n);
        }
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct input in = {.p = data, .n = n};
    struct model m;
    char bytes[64];

    model_init(&m);
    for (unsigned i = 0; i < 4; i++) {
        model_watch(&m, next_subject(&in, bytes));
    }
    while (in.n) {
        run_operation(&m, &in);
    }
    model_deinit(&m);
    return 0;
}
