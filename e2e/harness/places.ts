/** Every page there is, by the name of its screenshot; a page that is missing here is looked at by nobody. */
export interface Place {
  name: string;
  path: string;
  /** Whether one has to be logged in; `admin`: as an administrator; `new`: on a server that has no account yet. */
  as: 'nobody' | 'owner' | 'admin' | 'new';
}

export const places: Place[] = [
  { name: 'landing', path: '/', as: 'nobody' },
  { name: 'login', path: '/login', as: 'nobody' },
  { name: 'sign-up', path: '/login?tab=signup', as: 'nobody' },
  { name: 'forgot', path: '/forgot', as: 'nobody' },
  { name: 'reset', path: '/reset?token=none', as: 'nobody' },
  { name: 'verify', path: '/verify?token=none', as: 'nobody' },
  { name: 'not-found', path: '/nowhere', as: 'nobody' },
  { name: 'docs', path: '/docs/en/', as: 'nobody' },
  { name: 'docs-errors', path: '/docs/ko/error-codes', as: 'nobody' },
  { name: 'welcome', path: '/welcome', as: 'new' },
  { name: 'printers', path: '/printers', as: 'owner' },
  { name: 'add', path: '/printers/add', as: 'owner' },
  { name: 'setup', path: '/setup/3f2b8c1e-9a4d-4e7b-8c21-5d6f7a8b9c0d', as: 'owner' },
  { name: 'files', path: '/files', as: 'owner' },
  { name: 'workspace', path: '/workspace', as: 'owner' },
  { name: 'account', path: '/account', as: 'owner' },
  { name: 'admin-server', path: '/admin', as: 'admin' },
  { name: 'admin-users', path: '/admin?section=users', as: 'admin' },
  { name: 'admin-mail', path: '/admin?section=mail', as: 'admin' },
  { name: 'admin-audit', path: '/admin?section=audit', as: 'admin' },
];
