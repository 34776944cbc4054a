import { inTree, Program, until } from './program.ts';

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** A mail server that really receives; the tests read what came and open the links in the browser. */
export class Mailbox {
  private constructor(
    private readonly process: Program,
    readonly smtp: string,
  ) {}

  static async start(): Promise<Mailbox> {
    const python = process.env.FACTOR_TEST_PYTHON ?? inTree('.cache/test-venv/bin/python');
    const receiver = new Program('smtpd', [python, inTree('e2e/harness/smtpd.py')]);
    const [, port] = await receiver.says(/^listening on (\d+)$/m);
    return new Mailbox(receiver, `smtp://127.0.0.1:${port}`);
  }

  /** The newest mail to this address, waiting for it; `after` skips as many earlier ones. */
  async mail(to: string, after = 0): Promise<Mail> {
    return until(`mail number ${after + 1} to ${to}`, () => this.to(to)[after]);
  }

  /** Everything sent to this address, oldest first. */
  to(address: string): Mail[] {
    return this.process.said
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Mail)
      .filter((mail) => mail.to === address);
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** The one link to the server that a mail carries, the same in its text and its HTML. */
export function link(mail: Mail, server: string): string {
  const inText = mail.text.match(new RegExp(`${server}\\S+`))?.[0];
  if (!inText) throw new Error(`no link to ${server} in:\n${mail.text}`);
  const inHTML = mail.html.replaceAll('&amp;', '&').replaceAll('&#43;', '+');
  if (!inHTML.includes(inText)) throw new Error(`the HTML part lacks ${inText}:\n${mail.html}`);
  return inText;
}
