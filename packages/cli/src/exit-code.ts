// SPDX-License-Identifier: Apache-2.0

/** `FAILED`: a model disagreed, or an interrupt did not arrive. `BAD_INPUT`: also bad usage. */
export const EXIT = { OK: 0, FAILED: 1, BAD_INPUT: 2 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
