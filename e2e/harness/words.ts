import { readFileSync } from 'node:fs';
import { inTree } from './program.ts';

export type Language = 'ko' | 'en';

const messages = Object.fromEntries(
  (['ko', 'en'] as const).map((l) => [l, JSON.parse(readFileSync(inTree('web/messages', `${l}.json`), 'utf8'))]),
) as Record<Language, Record<string, unknown>>;

/** Of a message that has a form for one and one for more, the form for this count. */
function formOf(message: unknown, count?: string): unknown {
  if (!Array.isArray(message) || count === undefined) return message;
  const [{ match }] = message as [{ match: Record<string, string> }];
  return match[`countForm=${count === '1' ? 'one' : 'other'}`];
}

interface Words {
  (key: string, values?: Record<string, string>): string;
  readonly messages: Record<string, unknown>;
}

/** The page's own words: tests look for what a person reads and do not break when a sentence is put better. */
export function words(language: Language): Words {
  const say = (key: string, values: Record<string, string> = {}) => {
    const text = formOf(messages[language][key], values.count);
    if (typeof text !== 'string') throw new Error(`no plain message ${key} in ${language}.json`);
    return text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? `{${name}}`);
  };
  return Object.assign(say, { messages: messages[language] });
}

export const en = words('en');
export const ko = words('ko');
