// SPDX-License-Identifier: Apache-2.0
// Thinks of the doorbell's release only when everything stands.

import { toyPlugin } from '../toys/toy-driver.js';

export const leaksDoorbell = toyPlugin({
  publish({ doorbells, devres }, info, makeDomain) {
    const handle = doorbells.register(info);
    makeDomain();
    devres.add(() => doorbells.unregister(handle));
  },
});
