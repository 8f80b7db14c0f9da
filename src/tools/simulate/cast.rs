//! The people, sectors, lines and texts of a simulated day. All are invented; phones are in a range that is not
//! assigned.

/// The organization that the day belongs to.
pub(in crate::tools) const ORGANIZATION: &str = "Z4ELwFoR_gORGANI";

/// Ids of agents. Names of agents never come in deliveries.
pub(in crate::tools) const AGENTS: [&str; 6] = [
    "Z4ELwFoR_gAGENT1",
    "Z4ELwFoR_gAGENT2",
    "Z4ELwFoR_gAGENT3",
    "Z4ELwFoR_gAGENT4",
    "Z4ELwFoR_gAGENT5",
    "Z4ELwFoR_gAGENT6",
];

/// The names with which agents sign their messages.
pub(in crate::tools) const SIGNATURES: [&str; 6] = ["Bia", "Caio", "Davi", "Elis", "Fabi", "Gil"];

/// Id and name of each sector.
pub(in crate::tools) const SECTORS: [(&str, &str); 4] = [
    ("Z4ELwFoR_gSECTO0", "Geral"),
    ("Z4ELwFoR_gSECTO1", "Vendas"),
    ("Z4ELwFoR_gSECTO2", "Suporte"),
    ("Z4ELwFoR_gSECTO3", "Financeiro"),
];

/// Id, name, the provider's type and the phone of each line.
pub(in crate::tools) const CHANNELS: [(&str, &str, &str, &str); 3] = [
    ("Z4ELwFoR_gCHANN1", "Atendimento Oficial", "WhatsappApi", "+5511900000090"),
    ("Z4ELwFoR_gCHANN2", "Loja Centro", "WhatsappBroker", "+5511900000091"),
    ("Z4ELwFoR_gCHANN3", "Loja Norte", "WhatsappApi", "+5511900000092"),
];

/// Id and name of each tag.
pub(in crate::tools) const TAGS: [(&str, &str); 5] = [
    ("Z4ELwFoR_gTAGAAA", "VIP"),
    ("Z4ELwFoR_gTAGBBB", "Orçamento"),
    ("Z4ELwFoR_gTAGCCC", "Reclamação"),
    ("Z4ELwFoR_gTAGDDD", "Pós-venda"),
    ("Z4ELwFoR_gTAGEEE", "Urgente"),
];

pub(super) const FIRST: [&str; 16] = [
    "Ana", "Bruno", "Carla", "Diego", "Eduarda", "Felipe", "Gabriela", "Heitor", "Isabela", "João", "Karina",
    "Lucas", "Mariana", "Nélson", "Olívia", "Paulo",
];

/// Family names that nobody could take for those of real people.
pub(super) const LAST: [&str; 8] =
    ["Exemplo", "Fictício", "Modelo", "Amostra", "Ensaio", "Protótipo", "Rascunho", "Demonstração"];

/// What is said in recordings.
pub(super) const SAID: &str = "Oi, tudo bem? Pode me mandar a segunda via do boleto, por favor?";

pub(super) const QUESTIONS: [&str; 14] = [
    "Bom dia, gostaria de um orçamento",
    "Oi! Meu pedido ainda não chegou",
    "Vocês entregam no sábado?",
    "Qual o prazo para a troca?",
    "Preciso da segunda via do boleto",
    "O produto veio com defeito 😕",
    "Aceitam Pix?",
    "Qual o horário de funcionamento?",
    "Consegue ver o status do meu chamado?",
    "Quero cancelar a assinatura",
    "Tem desconto à vista?",
    "Pode me ligar?",
    "Perfeito, vou aguardar",
    "Ainda estou esperando…",
];

pub(super) const ANSWERS: [&str; 10] = [
    "Olá! Já estou verificando para você.",
    "Claro, vamos lá. Pode me passar o número do pedido?",
    "O prazo é de até 7 dias úteis.",
    "Acabei de enviar o boleto por aqui.",
    "Sinto muito pelo transtorno! Vou abrir a troca agora.",
    "Sim, aceitamos Pix, cartão e boleto.",
    "Consegui 10% de desconto à vista 🙂",
    "Seu chamado está com a equipe técnica.",
    "Prontinho, resolvido! Posso ajudar em algo mais?",
    "Obrigado pelo contato, tenha um ótimo dia!",
];

pub(super) const NOTES: [&str; 4] = [
    "Cliente quer fechar hoje, dar prioridade",
    "Já tentou trocar duas vezes",
    "Aguardando retorno do estoque",
    "Confirmar o endereço antes de enviar",
];

/// The greeting of the bot.
pub(super) const GREETING: &str = "Olá! Sou a Triagem. Escolha: 1) Vendas 2) Suporte 3) Financeiro";
