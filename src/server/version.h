/* SPDX-License-Identifier: Apache-2.0 */
/* Versions. Clients enable features by the version that INFO reports, so that is the one of the
 * nats-server that we are compatible with; our own, GNATWREN_VERSION, comes from meson.build. */
#pragma once

/** The version of nats-server whose behaviour this server has. */
#define VERSION_COMPATIBLE "2.15.1"
