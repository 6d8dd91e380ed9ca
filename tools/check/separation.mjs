// SPDX-License-Identifier: Apache-2.0
// Drivers program, models react, and only the bus lies between them: however far the imports are followed inside a
// package, the two sides meet in the register, command and description declarations and nowhere else.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { filesUnder, isSource } from '../workspace/files.mjs';
import { importsOf } from '../workspace/imports.mjs';
import { readPackages } from '../workspace/packages.mjs';

const software = { room: /^(driver|host)(\/|\.ts$)/, closed: /^@irqkit\/(pgtable(?!\/build$)|pci\/model$)/ };
const silicon = { room: /^model(\/|\.ts$)/, closed: /^@irqkit\/(pgtable(?!\/walk$)|pci\/host$)/ };
const shared = /^(regs|commands|layouts|description)(\/|\.ts$)/;

export function check(root) {
  return readPackages(root).flatMap(({ name, folder }) => {
    const source = join(folder, 'src');
    const drivers = reachable(source, software.room);
    const models = reachable(source, silicon.room);
    return [
      ...[...drivers]
        .filter((file) => models.has(file) && !shared.test(file))
        .map((file) => `${name}/src/${file}: is reached from both driver and model`),
      ...(models.size ? closedDoors(name, source, drivers, software.closed, 'driver') : []),
      ...closedDoors(name, source, models, silicon.closed, 'model'),
    ];
  });
}

function closedDoors(name, source, files, closed, side) {
  return [...files].flatMap((file) =>
    importsOf(join(source, file))
      .filter((specifier) => closed.test(specifier))
      .map((specifier) => `${name}/src/${file}: ${specifier} is not for the ${side} side`),
  );
}

function reachable(source, room) {
  const found = new Set();
  const pending = filesUnder(source, (file) => isSource(file) && room.test(file));
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    pending.push(...localImports(source, file));
  }
  return found;
}

function localImports(source, file) {
  return importsOf(join(source, file))
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts'))
    .filter((target) => existsSync(join(source, target)));
}
