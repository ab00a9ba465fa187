/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of page.html. meson.build makes page.inc of them, in the build directory: numbers with
 * commas between. */
#include "monitor/page.h"

static const unsigned char page[] = {
#include <page.inc>
};

struct str page_source(void)
{
    return (struct str){.p = (const char *)page, .n = sizeof(page)};
}
