// SPDX-License-Identifier: Apache-2.0
// `irqkit dt FILE`: a devicetree blob as source.

import { printDts } from '@irqkit/fdt';
import { EXIT } from '../../exit-code.js';
import type { ExitCode } from '../../exit-code.js';
import type { CliIo } from '../../io.js';
import { inFile, readTree } from '../../read-tree.js';

/** @throws InputError */
export function dtCommand(io: CliIo, path: string): ExitCode {
  const tree = readTree(path);
  io.out(inFile(path, () => printDts(tree)));
  return EXIT.OK;
}
