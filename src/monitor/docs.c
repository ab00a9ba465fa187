/* SPDX-License-Identifier: Apache-2.0 */
/* A row for each document; declared here, as nobody else needs them by name. */
#include "monitor/docs.h"

#include "base/attr.h"
#include "monitor/doc.h"

extern const struct doc accountz_doc;
extern const struct doc accstatz_doc;
extern const struct doc connz_doc;
extern const struct doc expvarz_doc;
extern const struct doc gatewayz_doc;
extern const struct doc healthz_doc;
extern const struct doc idz_doc;
extern const struct doc ipqueuesz_doc;
extern const struct doc jsz_doc;
extern const struct doc leafz_doc;
extern const struct doc metrics_doc;
extern const struct doc profilez_doc;
extern const struct doc raftz_doc;
extern const struct doc routez_doc;
extern const struct doc stacksz_doc;
extern const struct doc subsz_doc;
extern const struct doc varz_doc;

static const struct doc *const docs[] = {
    &accountz_doc, &accstatz_doc,  &connz_doc,   &expvarz_doc, &gatewayz_doc, &healthz_doc,
    &idz_doc,      &ipqueuesz_doc, &jsz_doc,     &leafz_doc,   &metrics_doc,  &profilez_doc,
    &raftz_doc,    &routez_doc,    &stacksz_doc, &subsz_doc,   &varz_doc,
};

size_t docs_count(void)
{
    return ARRAY_SIZE(docs);
}

const struct doc *docs_at(size_t i)
{
    return docs[i];
}

const struct doc *docs_find_path(struct str path, size_t *i)
{
    if (str_equal(path, STR("/subscriptionsz"))) {
        path = STR("/subsz");
    }
    for (*i = 0; *i < ARRAY_SIZE(docs); (*i)++) {
        if (docs[*i]->path && str_equal(path, str_of(docs[*i]->path))) {
            return docs[*i];
        }
    }
    return NULL;
}

const struct doc *docs_find_name(struct str name)
{
    for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
        if (docs[i]->name && str_equal(name, str_of(docs[i]->name))) {
            return docs[i];
        }
    }
    return NULL;
}
