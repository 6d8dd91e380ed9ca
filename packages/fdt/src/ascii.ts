// SPDX-License-Identifier: Apache-2.0

/** The character of each ASCII code: a look-up costs less than a call for every byte of a blob's names. */
export const ASCII: readonly string[] = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
