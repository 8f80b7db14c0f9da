/** What the form of the daily report says. */

export const DAILY_REPORT = {
  en: {
    dailyReport: 'Daily report',
    dailyReportHint:
      'Yesterday beside the same weekday a week before. It is mailed to the addresses that the hub’s operator set (REPORT_TO), and posted to the alert webhook. If the time has passed today, yesterday’s report is sent as soon as you save.',
    dailyReportOn: 'Send it every day',
    dailyReportAt: 'At ({{zone}})',
    dailyReportLanguage: 'Language',
  },
  pt: {
    dailyReport: 'Relatório diário',
    dailyReportHint:
      'O dia de ontem ao lado do mesmo dia da semana anterior. Vai por e-mail aos endereços definidos por quem opera o hub (REPORT_TO) e ao webhook de alertas. Se o horário de hoje já passou, o relatório de ontem é enviado assim que você salvar.',
    dailyReportOn: 'Enviar todos os dias',
    dailyReportAt: 'Horário ({{zone}})',
    dailyReportLanguage: 'Idioma',
  },
} as const;
