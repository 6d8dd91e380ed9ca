// SPDX-License-Identifier: Apache-2.0
// Keeps its vectors where the parent refuses.

import { toyPlugin } from '../toys/toy-driver.js';
import { TOY_INTIDS } from '../toys/toy-machine.js';

export const leaksVectors = toyPlugin({
  take(pool, domain, virq, nr) {
    const first = pool.take(nr);
    domain.allocParent(virq, nr, { hwirq: TOY_INTIDS.first + first });
    return first;
  },
});
