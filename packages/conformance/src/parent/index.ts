// SPDX-License-Identifier: Apache-2.0
// A root controller that belongs to nobody, so that the tests of an MSI controller need no other plugin.

import { CORE_API, definePlugin } from '@irqkit/core';
import type { Plugin } from '@irqkit/core';
import { probePlainController } from './driver.js';
import { PlainControllerModel } from './model.js';

/**
 * Driver and model of the nodes that say `compatible`: 480 inputs, INTIDs 32 to 511, each rising-edge or level-high and
 * delivered to one processor. Specifiers are a GIC's `<0 number type>`, where INTIDs count from 32; the first `reg` entry
 * is its frame, of 4 KiB at least.
 */
export function plainController(compatible: string): Plugin {
  return definePlugin({
    name: '@irqkit/conformance plain controller',
    coreApi: CORE_API,
    irqChips: [{ compatible: [compatible], useFactory: probePlainController }],
    models: [{ compatible: [compatible], useFactory: (context) => new PlainControllerModel(context) }],
  });
}
