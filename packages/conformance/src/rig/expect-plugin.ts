// SPDX-License-Identifier: Apache-2.0
// What holds for a plugin whatever its role.

import type { Plugin } from '@irqkit/core';
import { expectSame, expectThat } from '../expect/expect.js';
import type { Rig } from './rig.js';

/** @throws ConformanceError where it, or an entry of it, can be changed */
export function expectFrozen(plugin: Plugin): void {
  const { irqChips, iommus, buses, models, descriptions } = plugin;
  expectThat(Object.isFrozen(plugin), () => `${plugin.name} is not what definePlugin returned`);
  for (const entry of [irqChips, iommus, buses, models, descriptions].flatMap((list) => [...(list ?? [])]))
    expectThat(Object.isFrozen(entry), () => `${plugin.name}: the entry for ${entry.compatible[0]} can be changed`);
}

/** @throws ConformanceError where the node under test is another's on the rig's host */
export function expectDrives(rig: Rig, plugin: Plugin): void {
  const { path } = rig.machine;
  const driver = rig.host.drivers.find(({ node }) => node.path === path);
  expectSame(driver?.plugin, plugin.name, `the driver of ${path}`);
}
