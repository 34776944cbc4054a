/** The library, named as in the server's OpenAPI. Lengths mm, times s, temperatures °C, sizes bytes. */

export interface Filament {
	tool: number;
	length?: number;
	volume?: number;
	weight?: number;
	type?: string;
}

export interface Thumbnail {
	width: number;
	height: number;
	type: string;
}

export interface Analysis {
	state: 'waiting' | 'done' | 'failed';
	code?: string;
	message?: string;
	slicer?: string;
	printer_model?: string;
	estimated_time?: number;
	filament?: Filament[];
	layers?: number;
	height?: number;
	bounds?: { min_x: number; min_y: number; min_z: number; max_x: number; max_y: number; max_z: number };
	temperatures?: { tools: number[]; bed: number; chamber?: number };
	thumbnails?: Thumbnail[];
	warnings?: Warning[];
	time_source?: 'slicer' | 'moves';
	layer_height?: number;
}

export interface LibraryFile {
	id: string;
	workspace_id: string;
	folder: string;
	name: string;
	size: number;
	sha256: string;
	kind: 'gcode' | 'bgcode';
	tags: string[];
	source: 'upload' | 'printer';
	uploaded_by: { id: string; name: string };
	created_at: string;
	analysis: Analysis;
}

export interface Folder {
	path: string;
	files: number;
	bytes: number;
}

export interface Usage {
	files: number;
	bytes: number;
	quota: number;
	free: number;
	max_size: number;
	tags: string[];
}

/** What of a file goes beyond a printer. */
export interface Misfit {
	code: string;
	axis?: string;
	tool?: number;
	/** What the file wants, and what the printer has: mm, °C, or tools. */
	value?: number;
	limit?: number;
	message?: string;
}

/** What a person should know of a file before a print. */
export interface Warning {
	code: string;
	line?: number;
	text?: string;
}

export interface Fit {
	/** The file has been looked into; else nothing is known yet. */
	ready: boolean;
	problems: Misfit[];
	/** Why it should not be printed anywhere. */
	refused?: string;
	message?: string;
	warnings: Warning[];
	printer_model?: string;
}

/** A file on its way between library and printer. */
export interface Transfer {
	id: string;
	stage: 'waiting' | 'fetching' | 'checking' | 'uploading' | 'starting' | 'done' | 'failed';
	bytes?: number;
	total?: number;
	path?: string;
	code?: string;
	message?: string;
	name?: string;
	direction?: 'to_printer' | 'to_library';
	target?: 'local' | 'sdcard';
	file_id?: string;
	print?: boolean;
	created_at?: string;
	updated_at?: string;
	ended_at?: string;
}
