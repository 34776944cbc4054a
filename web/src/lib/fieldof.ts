import type { Problem } from './api/problem';

// Where the server names no field, its code still tells which one is meant.
const byCode: Record<string, string> = {
	email_invalid: 'email',
	email_taken: 'email',
	name_invalid: 'name',
	password_weak: 'password',
	password_wrong: 'password',
	setup_code_wrong: 'setup_code'
};

/** The form's field a problem is about, if it has it. The server may write "body.email" or "items[2].lines[7]". */
export function fieldOf(problem: Pick<Problem, 'code' | 'field'>, fields: readonly string[]): string | undefined {
	const whole = problem.field?.replace(/^body\./, '');
	if (whole && fields.includes(whole)) return whole;
	const named = problem.field?.split('.').at(-1)?.replace(/\[\d+\]$/, '');
	if (named && fields.includes(named)) return named;
	const meant = byCode[problem.code];
	return meant && fields.includes(meant) ? meant : undefined;
}
