// SPDX-License-Identifier: Apache-2.0
// Where the manuals say what QEMU does otherwise, by the words that recordings use for it.

const SECTIONS: readonly (readonly [RegExp, string])[] = [
  [/concatenat/i, 'Arm DDI 0487, D8.2.2 "Concatenated translation tables"'],
  [/\bTBI[01]?\b/, 'Arm IHI 0070, 3.4.1 "Input address size and Virtual Address size"'],
  [/blocks? exists? only|illegal.level/i, 'Arm DDI 0487, D8.3.1 "VMSAv8-64 descriptor formats"'],
  [/priority/i, 'Arm DDI 0487, D8.15.5 "MMU fault prioritization from a single address translation stage"'],
  [/C_BAD_STREAMID|L1STD|span/i, 'Arm IHI 0070, 7.3.3 "C_BAD_STREAMID"'],
  [/\bPAN\b/, 'Arm IHI 0070, 5.4 "Context Descriptor"'],
  [/INSTCFG|PRIVCFG|privileged|AP\[1\]/, 'Arm IHI 0070, 13.7 "PCIe permission attribute interpretation"'],
  [/S2=|CLASS|not recorded|mirror case/, 'Arm IHI 0070, 7.3.13 "F_TRANSLATION"'],
  [/C_BAD_STE/, 'Arm IHI 0070, 5.2.2 "Validity of STE"'],
  [/C_BAD_CD/, 'Arm IHI 0070, 5.4.2 "Validity of CD"'],
  [/F_WALK_EABT/, 'Arm IHI 0070, 7.3.12 "F_WALK_EABT"'],
  [/F_TRANSLATION/, 'Arm IHI 0070, 7.3.13 "F_TRANSLATION"'],
  [/F_ADDR_SIZE/, 'Arm IHI 0070, 7.3.14 "F_ADDR_SIZE"'],
  [/F_ACCESS/, 'Arm IHI 0070, 7.3.15 "F_ACCESS"'],
  [/F_PERMISSION/, 'Arm IHI 0070, 7.3.16 "F_PERMISSION"'],
];

/** The section for a note of the recorder's, by its reason first. */
export function sectionFor({ why, expected }: { readonly why: string; readonly expected: string }): string {
  const found = [why, expected].flatMap((text) => SECTIONS.filter(([words]) => words.test(text)));
  return found[0]?.[1] ?? 'Arm IHI 0070, 7.3.22 "Event queue record priorities"';
}
