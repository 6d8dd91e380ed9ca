// SPDX-License-Identifier: Apache-2.0
// Imports a module twice over, prints what that changed for everyone else: globals, built-in prototypes, listeners,
// timers and other handles, tsyringe's global container.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [entry] = process.argv.slice(2);
const container = polyfilledContainer();
// Node opens these when they are first looked at, which colour detection does; that changes nothing for anyone.
void [process.stdout, process.stderr];
const before = observe();
await import(pathToFileURL(entry));
await import(`${pathToFileURL(entry)}?again`);
const after = observe();
for (const [what, value] of Object.entries(after)) {
  if (value !== before[what]) console.log(`import changes ${what}: ${before[what]} -> ${value}`);
}

function observe() {
  const builtins = [
    Object,
    Array,
    Function,
    Map,
    Set,
    Promise,
    Number,
    String,
    Error,
    Uint8Array,
    Uint32Array,
    JSON,
    Math,
    Reflect,
  ];
  const keys = (object) => Reflect.ownKeys(object).length;
  return {
    'the globals': Reflect.ownKeys(globalThis).map(String).join(),
    'a built-in': builtins.map((builtin) => `${keys(builtin)}+${keys(builtin.prototype ?? {})}`).join(),
    'the listeners of process': process
      .eventNames()
      .map((name) => `${String(name)} ${process.listenerCount(name)}`)
      .join(),
    'what keeps the process alive': process.getActiveResourcesInfo().join(),
    'the environment': JSON.stringify(process.env),
    'the global container': container ? [...container._registry._registryMap.keys()].map(String).join() : '',
  };
}

/** The container the module will meet, its polyfill in place before anything is observed; none where it needs none. */
function polyfilledContainer() {
  const require = createRequire(pathToFileURL(entry));
  try {
    require('reflect-metadata');
    return require('tsyringe').container;
  } catch {
    return undefined;
  }
}
