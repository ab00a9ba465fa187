/* SPDX-License-Identifier: Apache-2.0 */
/* Input: a text. Whether it is JSON must not depend on how it is walked; and what was read from it,
 * written, and read again must come out the same. */
#include "base/json.h"
#include "base/attr.h"
#include "base/json_field.h"
#include "base/json_read.h"
#include "fuzz.h"

struct values {
    bool flag;
    int64_t number;
    uint64_t count;
    struct str text;
    size_t n_elements;
};

static bool count_elements(struct json_reader *r, void *at)
{
    while (json_read_element(r)) {
        json_read_skip(r);
        ++*(size_t *)at;
    }
    return r->token != JSON_BAD;
}

static const struct json_field fields[] = {
    JSON_FIELD("flag", struct values, flag),
    JSON_FIELD("number", struct values, number),
    JSON_FIELD("count", struct values, count),
    JSON_FIELD("keys", struct values, text),
    JSON_FIELD_BY("list", struct values, n_elements, count_elements),
};

/* One token after the other, each written. @return  whether the text is JSON */
static bool copy_tokens(struct str text, struct buf *out)
{
    struct json_reader r;
    struct json j = json_to(out);
    struct buf key = {0};

    json_read_init(&r, text);
    while (json_read_next(&r) != JSON_BAD && r.token != JSON_END) {
        switch (r.token) {
        case JSON_KEY:
            r.key = r.raw;
            key.n = 0;
            json_read_key(&r, &key);
            buf_add_char(&key, '\0');
            if (strlen(key.p) + 1 != key.n) {
                key.p[0] = '\0'; // the writer cannot write a key that holds a NUL
            }
            json_key(&j, key.p);
            break;
        case JSON_STRING:
            key.n = 0;
            ENSURE(json_read_str(&r, &key));
            json_str(&j, buf_str(&key));
            break;
        case JSON_OPEN_OBJECT:
            json_open_object(&j);
            break;
        case JSON_CLOSE_OBJECT:
            json_close_object(&j);
            break;
        case JSON_OPEN_ARRAY:
            json_open_array(&j);
            break;
        case JSON_CLOSE_ARRAY:
            json_close_array(&j);
            break;
        case JSON_NUMBER:
            json_raw(&j, r.raw);
            break;
        case JSON_NULL:
            json_raw(&j, STR("null"));
            break;
        default:
            json_bool(&j, r.token == JSON_TRUE);
            break;
        }
    }
    ENSURE(r.at <= text.n && (r.token == JSON_BAD || (r.at == text.n && r.depth == 0)));
    buf_deinit(&key);
    return r.token == JSON_END;
}

static bool skip_all(struct str text)
{
    struct json_reader r;

    json_read_init(&r, text);
    return json_read_end(&r);
}

/* By table. @return  false: it is not JSON, or its values have other types */
static bool read_fields(struct str text)
{
    struct values v = {0};
    struct buf why = {0};
    bool is_ok = json_field_read_text(text, fields, ARRAY_SIZE(fields), &v, &why);

    ENSURE(is_ok == (why.n == 0));
    json_field_free(&v.text);
    buf_deinit(&why);
    return is_ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {.p = (const char *)data, .n = n};
    struct buf once = {0};
    struct buf twice = {0};
    bool is_json = copy_tokens(text, &once);

    ENSURE(skip_all(text) == is_json);
    ENSURE(is_json || !read_fields(text));
    (void)read_fields(text);
    if (is_json) {
        ENSURE(copy_tokens(buf_str(&once), &twice));
        ENSURE(str_equal(buf_str(&once), buf_str(&twice)));
        ENSURE(read_fields(text) == read_fields(buf_str(&once)));
    }
    buf_deinit(&once);
    buf_deinit(&twice);
    return 0;
}
