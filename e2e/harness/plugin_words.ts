import { readFileSync } from 'node:fs';
import { inTree } from './program.ts';
import type { Language } from './words.ts';

const catalog = readFileSync(inTree('plugin/octoprint_factor_mqtt/translations/ko/LC_MESSAGES/messages.po'), 'utf8');
const korean = new Map<string, string>();
for (const [, id, text] of catalog.matchAll(/^msgid ((?:".*"\n)+)msgstr ((?:".*"\n)+)/gm)) korean.set(joined(id!), joined(text!));

/** Several quoted lines as one text. */
function joined(lines: string): string {
  return lines.trimEnd().split('\n').map((line) => JSON.parse(line) as string).join('');
}

/** What OctoPrint's page says in a language for a text of the plugin; the spaces that only tell texts apart are not seen. */
export function plugin(text: string, language: Language = 'en'): string {
  const translated = korean.get(text) ?? korean.get(`${text} `);
  if (!translated) throw new Error(`the plugin has no text “${text}”`);
  return (language === 'ko' ? translated : text).trim();
}
