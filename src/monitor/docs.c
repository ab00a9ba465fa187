/* SPDX-License-Identifier: Apache-2.0 */
/* A row for each document; declared here, as nobody else needs them by name. */
#include "monitor/docs.h"

#include "base/attr.h"
#include "monitor/doc.h"

extern const struct doc idz_doc;

static const struct doc *const docs[] = {
    &idz_doc,
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
