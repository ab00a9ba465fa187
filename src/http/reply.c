/* SPDX-License-Identifier: Apache-2.0 */
/* Fields come in the order in which people read them; the date is taken when they are written. */
#include "http/reply.h"

#include <inttypes.h>
#include <time.h>

#include "base/attr.h"

const char *http_status(int code)
{
    static const struct {
        int code;
        const char *text;
    } statuses[] = {
        {200, "200 OK"},
        {301, "301 Moved Permanently"},
        {400, "400 Bad Request"},
        {404, "404 Not Found"},
        {500, "500 Internal Server Error"},
        {501, "501 Not Implemented"},
        {503, "503 Service Unavailable"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (statuses[i].code == code) {
            return statuses[i].text;
        }
    }
    return "500 Internal Server Error";
}

static void write_date(struct buf *out)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm t = {0};

    gmtime_r(&now, &t);
    buf_printf(out, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n",
               days + (ptrdiff_t)3 * t.tm_wday, t.tm_mday, months + (ptrdiff_t)3 * t.tm_mon,
               t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void http_reply_write(const struct http_reply *r, struct buf *out)
{
    buf_printf(out, "HTTP/1.%c %s\r\n", r->is_1_0 ? '0' : '1', r->status);
    if (r->content_type) {
        buf_printf(out, "Content-Type: %s\r\n", r->content_type);
    }
    buf_add(out, r->fields);
    write_date(out);
    if (r->framing == HTTP_LENGTH) {
        buf_printf(out, "Content-Length: %" PRIu64 "\r\n", r->length);
    } else if (r->framing == HTTP_CHUNKED) {
        buf_add(out, STR("Transfer-Encoding: chunked\r\n"));
    }
    if (!r->keeps_alive && !r->is_1_0) {
        buf_add(out, STR("Connection: close\r\n"));
    } else if (r->keeps_alive && r->is_1_0) {
        buf_add(out, STR("Connection: keep-alive\r\n"));
    }
    buf_add(out, STR("\r\n"));
}

void http_chunk_begin(struct buf *out, size_t n)
{
    buf_printf(out, "%zx\r\n", n);
}

void http_chunk_end(struct buf *out)
{
    buf_add(out, STR("\r\n"));
}

void http_chunk_end_all(struct buf *out)
{
    buf_add(out, STR("0\r\n\r\n"));
}
