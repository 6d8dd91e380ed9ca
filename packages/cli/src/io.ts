// SPDX-License-Identifier: Apache-2.0

/** Where a command writes, and for whom. */
export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  /** True where a person reads `out` on a terminal. */
  readonly terminal: boolean;
  /** True where colours are welcome there. */
  readonly color: boolean;
}
