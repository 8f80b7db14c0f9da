/** What the switch of notifications says, and what stands in its way. */

export const NOTIFICATIONS = {
  en: {
    notifications: 'Desktop notifications of alerts',
    notificationsOn: 'Notifications are on',
    notificationsOff: 'Notifications are off',
    notifications_denied:
      'This browser blocks notifications from this address. Allow them in its site settings (the icon beside the address), then try again.',
    notifications_dismissed: 'Notifications stay off: the browser asked, and nobody allowed them.',
    notifications_insecure: 'Notifications need an address that begins with https://.',
    notifications_unsupported: 'This browser has no notifications.',
    gotIt: 'OK',
  },
  pt: {
    notifications: 'Notificações de alertas na área de trabalho',
    notificationsOn: 'Notificações ligadas',
    notificationsOff: 'Notificações desligadas',
    notifications_denied:
      'O navegador bloqueia as notificações deste endereço. Permita-as nas configurações do site (o ícone ao lado do endereço) e tente de novo.',
    notifications_dismissed: 'As notificações continuam desligadas: o navegador perguntou e elas não foram permitidas.',
    notifications_insecure: 'As notificações exigem um endereço que comece com https://.',
    notifications_unsupported: 'Este navegador não tem notificações.',
    gotIt: 'OK',
  },
} as const;
