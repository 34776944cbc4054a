/** Where the documentation is, which the server shows itself. */
export type Doc = 'start' | 'cameras' | 'troubleshooting' | 'error-codes' | 'logs';

export function docPath(language: string, doc: Doc = 'start'): string {
	return `/docs/${language}/${doc === 'start' ? '' : doc}`;
}
