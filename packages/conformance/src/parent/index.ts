// SPDX-License-Identifier: Apache-2.0
// A root controller that belongs to nobody, so that the tests of an MSI controller need no other plugin.

import { CORE_API, definePlugin } from '@irqkit/core';
import type { Plugin } from '@irqkit/core';
import { probePlainController } from './driver.js';
import { probePlainLpiController } from './lpis/driver.js';
import { PlainLpiControllerModel } from './lpis/model.js';
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
    irqChips: [{ compatible: [compatible], useFactory: (context) => probePlainController(context) }],
    models: [{ compatible: [compatible], useFactory: (context) => new PlainControllerModel(context) }],
  });
}

/**
 * As `plainController`, and what an ITS stands on: 8192 LPIs, INTIDs from 8192, and a redistributor for each processor. The
 * second `reg` entry holds their frames of 64 KiB, one after another in the order of the processors.
 */
export function plainLpiController(compatible: string): Plugin {
  return definePlugin({
    name: '@irqkit/conformance plain controller with LPIs',
    coreApi: CORE_API,
    irqChips: [{ compatible: [compatible], useFactory: probePlainLpiController }],
    models: [{ compatible: [compatible], useFactory: (context) => new PlainLpiControllerModel(context) }],
  });
}
