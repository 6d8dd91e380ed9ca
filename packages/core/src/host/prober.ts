// SPDX-License-Identifier: Apache-2.0
// Constructs what plugins offer for the nodes of a machine: one container per node, suppliers before users by retrying,
// releases unwound in reverse. Hosts probe drivers with it and boards build models.

import { container as globalContainer } from 'tsyringe';
import type { DependencyContainer, InjectionToken } from 'tsyringe';
import { LinuxError } from '../contracts/errno.js';
import type { FirmwareNode } from '../contracts/firmware.js';
import type { Maker } from '../contracts/plugin.js';
import { Devres } from './devres.js';

/** A node and the entry that matched it. */
export interface ProbeCandidate<T, Context> {
  readonly node: FirmwareNode;
  readonly plugin: string;
  readonly maker: Maker<T, Context>;
}

/** What a node's probe has constructed. */
export interface Probed<T> {
  readonly node: FirmwareNode;
  readonly plugin: string;
  readonly instance: T;
  readonly devres: Devres;
}

export interface ProbeOptions<T, Context> {
  /** In the order in which they are tried. */
  readonly candidates: readonly ProbeCandidate<T, Context>[];
  /** The context of one probe. Its getters may throw EPROBE_DEFER. */
  readonly contextOf: (node: FirmwareNode, devres: Devres) => Context;
  /** Tokens that inject one member of the context. */
  readonly tokens: readonly (readonly [InjectionToken<unknown>, keyof Context])[];
  /** The token that injects the whole context. */
  readonly contextToken: InjectionToken<Context>;
  /** Called when an instance stands, before the next is tried. */
  readonly onProbed?: (probed: Probed<T>) => void;
}

/**
 * Probes every candidate. One that throws EPROBE_DEFER is tried again after others have moved.
 * @returns what was constructed, in the order of probing; undo with `unprobe`.
 * @throws LinuxError EPROBE_DEFER with who waits for what, when nothing moves any more. Any other error of a constructor
 * is thrown as it is. Before either, all that stands is unwound in reverse.
 */
export function probeNodes<T, Context>(options: ProbeOptions<T, Context>): readonly Probed<T>[] {
  const container = globalContainer.createChildContainer();
  const probed: Probed<T>[] = [];
  let waiting = options.candidates;
  try {
    while (waiting.length > 0) {
      const deferred: { candidate: ProbeCandidate<T, Context>; reason: LinuxError }[] = [];
      for (const candidate of waiting) {
        try {
          const one = probeOne(candidate, options, container);
          probed.push(one);
          options.onProbed?.(one);
        } catch (error) {
          if (!LinuxError.is(error, 'EPROBE_DEFER')) throw error;
          deferred.push({ candidate, reason: error });
        }
      }
      if (deferred.length === waiting.length) throw stuck(deferred);
      waiting = deferred.map(({ candidate }) => candidate);
    }
  } catch (error) {
    unprobe(probed);
    throw error;
  }
  return probed;
}

/** Releases what `probeNodes` constructed, last probed first. @throws AggregateError after all releases have run */
export function unprobe(probed: readonly Probed<unknown>[]): void {
  const all = new Devres();
  for (const { devres } of probed) all.add(() => devres.releaseAll());
  all.releaseAll();
}

function probeOne<T, Context>(
  candidate: ProbeCandidate<T, Context>,
  options: ProbeOptions<T, Context>,
  container: DependencyContainer,
): Probed<T> {
  const { node, plugin, maker } = candidate;
  const devres = new Devres();
  try {
    const context = options.contextOf(node, devres);
    const instance =
      'useFactory' in maker ? maker.useFactory(context) : construct(maker.useClass, context, options, container);
    return { node, plugin, instance, devres };
  } catch (error) {
    devres.releaseAll();
    throw error;
  }
}

// tsyringe rewraps what a parameter's factory throws and loses its errno: the original is kept here and rethrown.
function construct<T, Context>(
  useClass: new (...args: never[]) => T,
  context: Context,
  options: ProbeOptions<T, Context>,
  container: DependencyContainer,
): T {
  const scope = container.createChildContainer();
  let thrown: unknown;
  scope.register(options.contextToken, { useValue: context });
  for (const [token, member] of options.tokens)
    scope.register(token, {
      useFactory: () => {
        try {
          return context[member];
        } catch (error) {
          thrown = error;
          throw error;
        }
      },
    });
  try {
    return scope.resolve(useClass as new (...args: unknown[]) => T);
  } catch (error) {
    throw thrown ?? error;
  }
}

function stuck(deferred: readonly { candidate: { node: FirmwareNode }; reason: LinuxError }[]): LinuxError {
  const lines = deferred.map(({ candidate, reason }) => `  ${candidate.node.path} waits: ${reason.message}`);
  return new LinuxError('EPROBE_DEFER', `nothing more can be probed:\n${lines.join('\n')}\n`);
}
