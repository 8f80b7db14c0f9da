/** What the panel of a contact says of personal data. */

export const PRIVACY = {
  en: {
    personalData: 'Personal data',
    exportHtml: 'Export for the person',
    exportJson: 'Export as JSON',
    eraseData: 'Erase…',
    eraseTitle: 'Erase personal data',
    eraseWarning:
      'Name, phone, picture and tags of this contact, and the content of all its messages, are erased for good. Times, counts and reports stay. It cannot be undone.',
    eraseReason: 'Reason',
    eraseReasonHint: 'For example the number of the request. It is kept, so do not write the person’s name or phone.',
    eraseBlock: 'Keep nothing of this contact in future either',
    eraseConfirm: 'Type {{word}} to confirm',
    eraseWord: 'ERASE',
    eraseNow: 'Erase for good',
    eraseDone: 'Messages erased: {{messages}}. Deliveries erased: {{deliveries}}.',
    erasedText: 'Text erased',
    erasedContent: 'content erased',
    eraseLeft: 'Left to the operator: backups, logs, and older databases beside this one.',
  },
  pt: {
    personalData: 'Dados pessoais',
    exportHtml: 'Exportar para a pessoa',
    exportJson: 'Exportar em JSON',
    eraseData: 'Apagar…',
    eraseTitle: 'Apagar dados pessoais',
    eraseWarning:
      'Nome, telefone, foto e etiquetas deste contato, e o conteúdo de todas as suas mensagens, são apagados definitivamente. Horários, contagens e relatórios permanecem. Não é possível desfazer.',
    eraseReason: 'Motivo',
    eraseReasonHint:
      'Por exemplo, o número da solicitação. Fica guardado: não escreva o nome nem o telefone da pessoa.',
    eraseBlock: 'Não guardar mais nada deste contato daqui em diante',
    eraseConfirm: 'Digite {{word}} para confirmar',
    eraseWord: 'APAGAR',
    eraseNow: 'Apagar definitivamente',
    eraseDone: 'Mensagens apagadas: {{messages}}. Eventos recebidos apagados: {{deliveries}}.',
    erasedText: 'Texto apagado',
    erasedContent: 'conteúdo apagado',
    eraseLeft: 'Ficam a cargo de quem opera o hub: backups, logs e bancos de dados antigos guardados ao lado deste.',
  },
};
