// SPDX-License-Identifier: Apache-2.0
// The parts of a README.

/** What stands under `## title`, up to the next heading of that rank. */
export function section(markdown, title) {
  return (
    markdown
      .split(/^## +/m)
      .find((part) => part.split('\n')[0].trim() === title)
      ?.slice(title.length) ?? ''
  );
}

export const headings = (markdown) => [...markdown.matchAll(/^## +(.*?) *$/gm)].map(([, title]) => title);
