/** What the keys and the palette of commands say. */

export const COMMANDS = {
  en: {
    palette: 'Search and commands',
    paletteHint: 'A page, a command or the name of a contact',
    commands: 'Commands',
    searchFor: 'Search for “{{words}}”',
    shortcuts: 'Keys',
    letterKeys: 'Single letters are keys',
    letterKeysHint: 'Switched off, only Ctrl K and Esc are left. This list is in the palette too.',
    keySearch: 'Search',
    keyNext: 'Next in the list',
    keyBefore: 'Previous in the list',
    keyOpen: 'Open',
    keyBack: 'Back to the list',
  },
  pt: {
    palette: 'Busca e comandos',
    paletteHint: 'Uma página, um comando ou o nome de um contato',
    commands: 'Comandos',
    searchFor: 'Buscar “{{words}}”',
    shortcuts: 'Atalhos do teclado',
    letterKeys: 'Usar teclas de uma letra',
    letterKeysHint: 'Desligadas, restam Ctrl K e Esc. Esta lista também está na paleta.',
    keySearch: 'Buscar',
    keyNext: 'Próxima da lista',
    keyBefore: 'Anterior da lista',
    keyOpen: 'Abrir',
    keyBack: 'Voltar à lista',
  },
} as const;
