#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The `irqkit` program: the command line on this process.

import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { runCli } from './cli.js';

const { stdout, stderr } = process;
const terminal = stdout.isTTY === true;
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

// Whoever reads may stop early: `irqkit dt board.dtb | head`.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = runCli({
  argv: process.argv.slice(2),
  io: {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    terminal,
    color: terminal && pc.isColorSupported,
  },
  defaultPlatform: relative('', fileURLToPath(new URL('../platforms/virt-gic-v3-its-smmu-v3.dtb', import.meta.url))),
  version: manifest.version,
});
