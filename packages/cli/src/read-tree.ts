// SPDX-License-Identifier: Apache-2.0

import { FirmwareError, LinuxError } from '@irqkit/core';
import { parseFdt } from '@irqkit/fdt';
import type { Fdt } from '@irqkit/fdt';
import { InputError } from './input-error.js';
import { readFile } from './read-file.js';

/** The tree of a devicetree blob. @throws InputError that begins with the path */
export function readTree(path: string): Fdt {
  const blob = readFile(path);
  return inFile(path, () => parseFdt(blob));
}

/** Runs `work`, and names the file in what it throws of the firmware in it. @throws InputError */
export function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FirmwareError || LinuxError.is(error))
      throw new InputError(path, error.message, { cause: error });
    throw error;
  }
}
