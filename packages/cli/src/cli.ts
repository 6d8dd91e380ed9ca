// SPDX-License-Identifier: Apache-2.0
// The command line: which commands there are, and what becomes of what they throw.

import { Command, CommanderError } from 'commander';
import { dtCommand } from './commands/dt/command.js';
import { replayCommand } from './commands/replay/command.js';
import { runCommand } from './commands/run/command.js';
import { EXIT } from './exit-code.js';
import type { ExitCode } from './exit-code.js';
import { InputError } from './input-error.js';
import type { CliIo } from './io.js';

export interface CliOptions {
  /** Without the interpreter and the script. */
  readonly argv: readonly string[];
  readonly io: CliIo;
  /** The devicetree blob that `run` takes where none is named. */
  readonly defaultPlatform: string;
  readonly version: string;
}

/** Runs one command; nothing is thrown but defects of our own. */
export function runCli({ argv, io, defaultPlatform, version }: CliOptions): ExitCode {
  let exit: ExitCode = EXIT.OK;
  const program = new Command('irqkit')
    .description(
      'Interrupt controllers, MSI doorbells and their passthrough on Arm: hardware and drivers in TypeScript',
    )
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) });

  program
    .command('run')
    .description('build a board from a devicetree, enable every MSI on it and fire each once')
    .option('--platform <FILE.dtb>', 'the devicetree blob (default: QEMU virt with a GICv3 and its ITS)')
    .option('--json', 'one JSON document instead of tables')
    .action(({ platform = defaultPlatform, json }: { platform?: string; json?: boolean }) => {
      exit = runCommand(io, { platform, json });
    });
  program
    .command('dt')
    .description('print a devicetree blob as source')
    .argument('<FILE>')
    .action((path: string) => {
      exit = dtCommand(io, path);
    });
  program
    .command('replay')
    .description(
      'feed what was recorded to the models: a capture of real drivers, page-table walks, VFIO calls; compare every answer',
    )
    .argument('<PATH>', 'a directory, or the .jsonl file of a VFIO recording')
    .option(
      '--boot <DIR>',
      'the boot of the machine that VFIO calls were recorded on (default: ../boots/NAME from NAME.jsonl)',
    )
    .option('--json', 'one JSON document instead of tables')
    .action((path: string, options: { json?: boolean; boot?: string }) => {
      exit = replayCommand(io, path, options);
    });

  try {
    program.parse(argv, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof InputError) io.err(`irqkit: ${error.message.split('\n').join(' ')}\n`);
    else if (!(error instanceof CommanderError)) throw error;
    else if (error.exitCode === 0) return EXIT.OK;
    return EXIT.BAD_INPUT;
  }
}
