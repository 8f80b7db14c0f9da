/** What the sentence above a report says, and its changes. */

export const STORY = {
  en: {
    storyDays: '{{since}} to {{till}}',
    storyCount: '{{when}}: {{count}} new chats',
    storyNoResponse: 'no first response',
    storyMedian: 'median first response {{median}}',
    storyFaster: '{{percent}} faster than',
    storySlower: '{{percent}} slower than',
    storySame: 'as fast as',
    storyWeek: 'a week before',
    storyWeeks: '{{weeks}} weeks before',
    storyWorst: 'slowest: {{place}} ({{value}})',
    few: 'too few',
    tooFew: 'A change is shown from {{count}} values on.',
  },
  pt: {
    storyDays: '{{since}} até {{till}}',
    storyCount: '{{when}}: {{count}} conversas novas',
    storyNoResponse: 'nenhuma primeira resposta',
    storyMedian: '1ª resposta mediana {{median}}',
    storyFaster: '{{percent}} mais rápida que',
    storySlower: '{{percent}} mais lenta que',
    storySame: 'tão rápida quanto',
    storyWeek: 'uma semana antes',
    storyWeeks: '{{weeks}} semanas antes',
    storyWorst: 'pior hora: {{place}} ({{value}})',
    few: 'poucos dados',
    tooFew: 'A variação aparece a partir de {{count}} valores.',
  },
} as const;
