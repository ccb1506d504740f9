import { PLACES, SERVICE, SERVICE_USER } from '../service-places.js';

/** One thing that an installation does; each may be done again without harm. */
export type ServiceStep =
  | { readonly kind: 'make_user' }
  | { readonly kind: 'make_directory'; readonly path: string; readonly mode: number; readonly ours: boolean }
  | { readonly kind: 'place_version'; readonly folder: string }
  | { readonly kind: 'write_starter' }
  | { readonly kind: 'set_variables'; readonly changes: Readonly<Record<string, string>> }
  | { readonly kind: 'link_command' }
  | { readonly kind: 'note_upgrade' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'back_up'; readonly file: string }
  | { readonly kind: 'switch'; readonly folder: string }
  | { readonly kind: 'write_unit'; readonly folder: string }
  | { readonly kind: 'enable' }
  | { readonly kind: 'start' }
  | { readonly kind: 'prove' }
  | { readonly kind: 'note_done' }
  | { readonly kind: 'drop_versions'; readonly folders: readonly string[] }
  | { readonly kind: 'drop_backups'; readonly files: readonly string[] };

/** What a step does, as the one who installs is told it; `null`: bookkeeping. */
export function describeStep(step: ServiceStep): string | null {
  switch (step.kind) {
    case 'make_user':
      return `make the user ${SERVICE_USER}, without a login`;
    case 'make_directory':
      return `make ${step.path} (${step.ours ? SERVICE_USER : 'root'}, ${step.mode.toString(8)})`;
    case 'place_version':
      return `place the program in ${PLACES.versions}/${step.folder}`;
    case 'write_starter':
      return `write ${PLACES.fabricFile} to begin with`;
    case 'set_variables':
      if (Object.keys(step.changes).length === 0) return `write ${PLACES.variables} to begin with`;
      return `set ${Object.entries(step.changes)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')} in ${PLACES.variables}`;
    case 'link_command':
      return `link ${PLACES.command}`;
    case 'stop':
      return `stop ${SERVICE}: requests under way may finish`;
    case 'back_up':
      return `back the registry up to ${step.file}`;
    case 'switch':
      return `make ${step.folder} the version that runs`;
    case 'write_unit':
      return `write ${PLACES.unit}`;
    case 'enable':
      return `have ${SERVICE} start with the machine`;
    case 'start':
      return `start ${SERVICE}`;
    case 'prove':
      return 'wait until it answers; where it does not, go back';
    case 'drop_versions':
      return `remove ${step.folders.map((folder) => `${PLACES.versions}/${folder}`).join(', ')}`;
    case 'drop_backups':
      return `remove ${step.files.join(', ')}`;
    case 'note_upgrade':
    case 'note_done':
      return null;
  }
}
