/* SPDX-License-Identifier: Apache-2.0 */
/* struct diag: messages collected while a configuration is read and checked. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static PRINTF_LIKE(3, 0) void add(struct diag *d, const struct diag_place *at, const char *format,
                                  va_list ap)
{
    if (at && at->file) {
        buf_printf(&d->text, "%s:%u:%u: ", at->file, at->line, at->column);
    }
    buf_vprintf(&d->text, format, ap);
    buf_add_char(&d->text, '\n');
}

static void insert(struct buf *b, size_t at, struct str text)
{
    buf_reserve(b, text.n);
    memmove(b->p + at + text.n, b->p + at, b->n - at);
    memcpy(b->p + at, text.p, text.n);
    b->n += text.n;
}

void diag_deinit(struct diag *d)
{
    buf_deinit(&d->text);
    *d = (struct diag){0};
}

void diag_error(struct diag *d, const struct diag_place *at, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    add(d, at, format, ap);
    va_end(ap);
    d->n_errors++;
}

void diag_error_text(struct diag *d, struct str text)
{
    buf_add(&d->text, text);
    buf_add_char(&d->text, '\n');
    d->n_errors++;
}

void diag_warning(struct diag *d, const struct diag_place *at, const char *format, ...)
{
    struct diag warning = {0};
    va_list ap;

    va_start(ap, format);
    add(&warning, at, format, ap);
    va_end(ap);
    insert(&d->text, d->n_warning_bytes, buf_str(&warning.text));
    d->n_warning_bytes += warning.text.n;
    d->n_warnings++;
    diag_deinit(&warning);
}

struct str diag_first(const struct diag *d)
{
    const char *lf = d->text.n ? memchr(d->text.p, '\n', d->text.n) : NULL;

    return (struct str){.p = d->text.p, .n = lf ? (size_t)(lf - d->text.p) : d->text.n};
}
