/* SPDX-License-Identifier: Apache-2.0 */
/* The list of names, and the texts of a subject. The order of their parts is that of nats-server:
 * by type, whatever their order in the certificate. */
#include "auth/cert_names.h"

#include "base/attr.h"
#include "base/buf.h"
#include "base/mem.h"

/* The attributes of a text in their order. */
static const struct attribute {
    struct str type;
    bool is_single; // the last one counts; otherwise all do, in one RDN
} attributes[] = {
    {STR_INIT("SERIALNUMBER"), true}, {STR_INIT("CN"), true},          {STR_INIT("OU"), false},
    {STR_INIT("O"), false},           {STR_INIT("POSTALCODE"), false}, {STR_INIT("STREET"), false},
    {STR_INIT("L"), false},           {STR_INIT("ST"), false},         {STR_INIT("C"), false},
};

static const struct str domain_component = STR_INIT("DC");

static struct cert_name *append(struct cert_names *l, enum cert_name_kind kind, struct str text)
{
    l->at = mem_realloc(l->at, (l->n + 1) * sizeof(*l->at));
    l->at[l->n] = (struct cert_name){.kind = kind, .text = text};
    return &l->at[l->n++];
}

void cert_names_add(struct cert_names *l, enum cert_name_kind kind, struct str text)
{
    append(l, kind, arena_str(&l->arena, text));
}

/* ---- the subject */

static bool is_known(struct str type)
{
    bool is = str_equal_nocase(type, domain_component);

    for (size_t i = 0; i < ARRAY_SIZE(attributes) && !is; i++) {
        is = str_equal_nocase(type, attributes[i].type);
    }
    return is;
}

static bool is_comparable(const struct dn *dn)
{
    for (size_t i = 0; i < dn->n; i++) {
        for (size_t k = 0; k < dn->rdns[i].n; k++) {
            const struct dn_part *part = &dn->rdns[i].parts[k];

            if (part->is_der || !is_known(part->type)) {
                return false;
            }
        }
    }
    return true;
}

static void add_escaped(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        bool is_end = i == 0 || i == value.n - 1;

        if ((c && strchr(",+\"\\<>;", c)) || (c == ' ' && is_end) || (c == '#' && i == 0)) {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, c);
    }
}

/* Calls fn for the parts of a type, in the order of the certificate. */
static void for_each_part(const struct dn *dn, struct str type,
                          void (*fn)(void *arg, struct str value), void *arg)
{
    for (size_t i = dn->n; i-- > 0;) {
        for (size_t k = dn->rdns[i].n; k-- > 0;) {
            const struct dn_part *part = &dn->rdns[i].parts[k];

            if (!part->is_der && str_equal_nocase(part->type, type)) {
                fn(arg, part->value);
            }
        }
    }
}

/* Where the values of one attribute are collected. */
struct values {
    const struct attribute *attribute;
    struct buf text; // "OU=a+OU=b"
};

static void add_value(void *arg, struct str value)
{
    struct values *v = arg;

    if (v->attribute->is_single) {
        v->text.n = 0;
    }
    if (v->text.n) {
        buf_add_char(&v->text, '+');
    }
    buf_add(&v->text, v->attribute->type);
    buf_add_char(&v->text, '=');
    add_escaped(&v->text, value);
}

static void write_subject(const struct dn *dn, struct buf *out)
{
    struct values v = {0};

    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        v.attribute = &attributes[i];
        v.text.n = 0;
        for_each_part(dn, v.attribute->type, add_value, &v);
        if (out->n && v.text.n) {
            buf_add_char(out, ',');
        }
        buf_add(out, buf_str(&v.text));
    }
    buf_deinit(&v.text);
}

/* As it stands: the reference does not escape these. */
static void add_domain_component(void *arg, struct str value)
{
    struct buf *out = arg;

    buf_add(out, STR(",DC="));
    buf_add(out, value);
}

void cert_names_add_subject(struct cert_names *l, struct str text)
{
    struct buf out = {0};
    struct dn dn = {0};

    if (l->n == 0 && text.n == 0) {
        return;
    }
    bool is_dn = dn_parse(&l->arena, text, &dn) && is_comparable(&dn);

    write_subject(&dn, &out);
    l->subject = arena_str(&l->arena, buf_str(&out));
    for_each_part(&dn, domain_component, add_domain_component, &out);
    if (is_dn) {
        append(l, CERT_NAME_DN, l->subject)->dn = dn;
    }
    if (out.n > l->subject.n) {
        cert_names_add(l, CERT_NAME_WITH_DC, buf_str(&out));
    }
    append(l, CERT_NAME_SUBJECT, l->subject);
    buf_deinit(&out);
}

void cert_names_deinit(struct cert_names *l)
{
    mem_free(l->at);
    arena_deinit(&l->arena);
    *l = (struct cert_names){0};
}
