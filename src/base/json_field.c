/* SPDX-License-Identifier: Apache-2.0 */
/* Objects by table. */
#include "base/json_field.h"

#include "base/mem.h"

static bool read_str(struct json_reader *r, struct str *field)
{
    struct buf text = {0};
    bool is_ok = json_read_str(r, &text);

    if (is_ok) {
        json_field_free(field);
        if (text.n) {
            *field = (struct str){.p = mem_strndup(text.p, text.n), .n = text.n};
        }
    }
    buf_deinit(&text);
    return is_ok;
}

static bool read_field(struct json_reader *r, const struct json_field *f, void *field)
{
    switch (f->kind) {
    case JSON_FIELD_BOOL:
        return json_read_bool(r, field);
    case JSON_FIELD_INT:
        return json_read_int(r, field);
    case JSON_FIELD_UINT:
        return json_read_uint(r, field);
    case JSON_FIELD_STR:
        return read_str(r, field);
    case JSON_FIELD_OTHER:
        return f->read(r, field);
    }
    UNREACHABLE();
}

static const struct json_field *find_field(const struct json_reader *r,
                                           const struct json_field *fields, size_t n_fields)
{
    for (size_t i = 0; i < n_fields; i++) {
        if (json_read_is_key(r, str_of(fields[i].name))) {
            return &fields[i];
        }
    }
    return NULL;
}

bool json_field_read_all(struct json_reader *r, const struct json_field *fields, size_t n_fields,
                         void *to)
{
    while (json_read_member(r)) {
        const struct json_field *f = find_field(r, fields, n_fields);

        if (!f || r->token == JSON_NULL) {
            json_read_skip(r);
        } else if (!read_field(r, f, (char *)to + f->offset)) {
            r->field = f->name;
            return false;
        }
    }
    return r->token != JSON_BAD;
}

bool json_field_read_text(struct str text, const struct json_field *fields, size_t n_fields,
                          void *to, struct buf *why)
{
    struct json_reader r;

    json_read_init(&r, text);
    if (json_field_read_all(&r, fields, n_fields, to) && json_read_end(&r)) {
        return true;
    }
    json_read_error(&r, why);
    return false;
}

void json_field_free(struct str *field)
{
    mem_free((void *)(uintptr_t)field->p);
    *field = (struct str){0};
}
