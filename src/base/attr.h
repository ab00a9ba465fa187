/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and assertions used everywhere; the only macros without a module prefix. */
#pragma once

#include <stddef.h>

/** The result must be looked at (every function that can fail). */
#define MUST_USE __attribute__((warn_unused_result))
/** printf-like: the format is argument `f`, the first value argument `a`. */
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NORETURN __attribute__((noreturn))
/** An inline function that is not worth being one otherwise. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))
/** A function that would cost its callers registers and stack where they do not call it. */
#define NOINLINE __attribute__((noinline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define CACHE_LINE_BYTES 64
/** A local that is always written before it is read: do not let the compiler zero it first. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNINITIALIZED __attribute__((uninitialized))
#endif
#endif
#ifndef UNINITIALIZED
#define UNINITIALIZED
#endif
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
/** The struct of type `type` whose member `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/**
 * Report a broken contract between our own functions on stderr and abort.
 * Thread: any.
 */
NORETURN void ensure_failed(const char *expression, const char *file, int line);

/** Contract between our own functions; always on. Input from outside is never asserted. */
#define ENSURE(x) (LIKELY(x) ? (void)0 : ensure_failed(#x, __FILE__, __LINE__))
/** As ENSURE, on the hot path: debug builds only. */
#ifdef NDEBUG
#define DCHECK(x) ((void)0)
#else
#define DCHECK(x) ENSURE(x)
#endif
#define UNREACHABLE() ensure_failed("unreachable", __FILE__, __LINE__)
