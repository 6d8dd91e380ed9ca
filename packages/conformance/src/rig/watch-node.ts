// SPDX-License-Identifier: Apache-2.0
// A node of the kit's own, put before the machine's, so that the kit is probed first and sees what the others take.

import type { Firmware } from '@irqkit/core';
import { ownNode, withOwnNodes } from './own-node.js';

export const WATCH_COMPATIBLE = 'irqkit,conformance-watch';

export function withWatchNode(firmware: Firmware): Firmware {
  return withOwnNodes(firmware, [ownNode(firmware.root, 'irqkit-conformance', WATCH_COMPATIBLE)]);
}
