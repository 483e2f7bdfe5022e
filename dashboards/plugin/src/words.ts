import type { Text } from './language';

/** Everything the editors say, but for what the backend describes itself. */
export const words = {
  // Query editor.
  ask: { en: 'What do you want to see?', fr: 'Que voulez-vous voir ?' },
  questions: { en: 'Figures', fr: 'Chiffres' },
  details: { en: 'Details and live', fr: 'Détails et direct' },
  columns: { en: 'What the columns mean', fr: 'Ce que disent les colonnes' },
  likelihood: { en: 'probability of an error', fr: 'probabilité d’erreur' },
  oneOf: { en: 'One of: {values}.', fr: 'L’un de : {values}.' },
  aText: { en: 'A name or a text.', fr: 'Un nom ou un texte.' },
  aTime: { en: 'A day or a point in time.', fr: 'Un jour ou un instant.' },
  aNumber: { en: 'A number.', fr: 'Un nombre.' },
  aShare: { en: 'A share, from 0 to 100 %.', fr: 'Une part, de 0 à 100 %.' },
  inSeconds: { en: 'A time in seconds.', fr: 'Une durée en secondes.' },
  inHours: { en: 'A time in hours.', fr: 'Une durée en heures.' },
  anAmount: { en: 'A figure; money is in one currency.', fr: 'Un chiffre ; l’argent est dans une devise.' },
  banded: {
    en: 'With its 95 % band.',
    fr: 'Avec sa bande à 95 %.',
  },
  narrowed: { en: 'Narrow it down', fr: 'Affiner' },
  all: { en: 'all', fr: 'tous' },
  choose: { en: 'choose', fr: 'choisir' },
  variable: { en: 'variable of this dashboard', fr: 'variable de ce tableau de bord' },
  limit: { en: 'Rows at most', fr: 'Lignes au plus' },
  missing: { en: 'Still to fill in: {filters}.', fr: 'À remplir encore : {filters}.' },
  loading: { en: 'Reading what can be asked …', fr: 'Lecture de ce que l’on peut demander …' },
  unreachable: { en: 'The data source does not answer', fr: 'La source de données ne répond pas' },
  retry: { en: 'Try again', fr: 'Réessayer' },

  // Special queries.
  explain: { en: 'Explain one invoice', fr: 'Expliquer une facture' },
  explainHelp: {
    en: 'What was expected, what was billed, which cause is most likely and why, and what becomes of its case.',
    fr: 'Ce qui était attendu, ce qui est facturé, la cause la plus probable et pourquoi, et ce que devient son dossier.',
  },
  baseline: { en: 'What is usual in a segment', fr: 'L’habituel d’un segment' },
  baselineHelp: {
    en: 'The live baseline that invoices of a segment are compared with.',
    fr: 'La référence actuelle à laquelle les factures d’un segment sont comparées.',
  },
  lag: { en: 'Is scoring up to date?', fr: 'La notation est-elle à jour ?' },
  lagHelp: {
    en: 'Invoices that wait in Kafka, per partition. Near 0 is healthy.',
    fr: 'Factures en attente dans Kafka, par partition. Proche de 0, tout va bien.',
  },
  cases: { en: 'Cases as they open (live)', fr: 'Dossiers à leur ouverture (en direct)' },
  casesHelp: {
    en: 'The latest cases, then each new one within a second. Choose one to act on it.',
    fr: 'Les derniers dossiers, puis chaque nouveau en moins d’une seconde. Choisissez-en un pour agir.',
  },
  annotations: { en: 'Events to mark on graphs', fr: 'Évènements à marquer sur les graphes' },
  annotationsHelp: {
    en: 'Incidents, the first alert by each model and settings of recoup, and releases of billing systems.',
    fr: 'Incidents, première alerte de chaque modèle et réglage de recoup, versions des systèmes de facturation.',
  },

  // Filters.
  seller: { en: 'Seller', fr: 'Vendeur' },
  currency: { en: 'Currency', fr: 'Devise' },
  customer_type: { en: 'Customer types', fr: 'Types de clients' },
  product_family: { en: 'Product families', fr: 'Familles de produits' },
  cause: { en: 'Causes', fr: 'Causes' },
  invoice_id: { en: 'Invoice', fr: 'Facture' },
  case_id: { en: 'Case', fr: 'Dossier' },
  segment: { en: 'Segment', fr: 'Segment' },
  kinds: { en: 'Events', fr: 'Évènements' },

  // Explanation.
  verdict: { en: 'Why this invoice?', fr: 'Pourquoi cette facture ?' },
  run: { en: 'Run the query to see the explanation.', fr: 'Exécutez la requête pour voir l’explication.' },
  nothing: { en: 'No such invoice was scored.', fr: 'Aucune facture de ce nom n’a été jugée.' },
  billed: { en: 'Billed', fr: 'Facturé' },
  expected: { en: 'Expected', fr: 'Attendu' },
  repaired: { en: 'Repaired', fr: 'Corrigé' },
  likely: { en: 'Likely wrong', fr: 'Probablement fausse' },
  noExpectation: {
    en: 'Too few invoices are known to expect an amount.',
    fr: 'Trop peu de factures connues pour attendre un montant.',
  },
  picture: {
    en: 'Billed {billed}; expected {expected}, usually {low} to {high}.',
    fr: 'Facturé {billed} ; attendu {expected}, d’habitude de {low} à {high}.',
  },
  usually: { en: 'usually {low} to {high}', fr: 'd’habitude de {low} à {high}' },
  tooLow: { en: '{amount} too low', fr: '{amount} de moins' },
  tooHigh: { en: '{amount} too high', fr: '{amount} de trop' },
  votes: { en: 'What may have gone wrong', fr: 'Ce qui a pu mal tourner' },
  unknown: { en: 'No known cause', fr: 'Aucune cause connue' },
  noCauses: { en: 'No cause found.', fr: 'Aucune cause trouvée.' },
  without: { en: 'should be {amount}', fr: 'devrait être {amount}' },
  sentences: { en: 'In sentences', fr: 'En phrases' },
  facts: { en: 'All facts', fr: 'Tous les faits' },

  // Case.
  chooseCase: { en: 'Case to act on', fr: 'Dossier à traiter' },
  theCase: { en: 'Case', fr: 'Dossier' },
  noCase: { en: 'There is no case about this invoice.', fr: 'Aucun dossier sur cette facture.' },
  viewer: {
    en: 'You may read cases. To act on them takes the role Editor.',
    fr: 'Vous pouvez lire les dossiers. Pour agir, il faut le rôle Éditeur.',
  },
  acknowledge: { en: 'Acknowledge', fr: 'Prendre en charge' },
  confirm: { en: 'It is an error', fr: 'C’est une erreur' },
  false_alarm: { en: 'False alarm', fr: 'Fausse alerte' },
  recovered: { en: 'Money came back', fr: 'Argent récupéré' },
  acknowledgeAsk: {
    en: 'Somebody takes this case. That stops the 24-hour clock.',
    fr: 'Quelqu’un prend ce dossier. Cela arrête l’horloge des 24 heures.',
  },
  confirmAsk: {
    en: 'This is wrong. Causes and baselines learn from it.',
    fr: 'C’est faux. Causes et références en tiendront compte.',
  },
  false_alarmAsk: {
    en: 'Nothing is wrong. The case closes.',
    fr: 'Rien n’est faux. Le dossier se ferme.',
  },
  recoveredAsk: {
    en: 'The customer paid what was missing. Only cash counts.',
    fr: 'Le client a payé ce qui manquait. Seul l’argent encaissé compte.',
  },
  trueCause: { en: 'What went wrong?', fr: 'Qu’est-ce qui a mal tourné ?' },
  correctAmount: { en: 'Correct amount of the invoice', fr: 'Montant juste de la facture' },
  correctAmountHelp: {
    en: '0 for a duplicate or an invoice that should not exist, below 0 for a credit note.',
    fr: '0 pour un doublon ou une facture de trop, négatif pour un avoir.',
  },
  paidAmount: { en: 'Amount received', fr: 'Montant reçu' },
  paidAmountHelp: { en: 'Empty: all that is owed.', fr: 'Vide : tout ce qui est dû.' },
  option: { en: 'How was it settled?', fr: 'Comment est-ce réglé ?' },
  badAmount: { en: 'An amount above 0, such as 49.90', fr: 'Un montant supérieur à 0, comme 49.90' },
  badCorrect: { en: 'An amount, such as 49.90 or -12', fr: 'Un montant, comme 49.90 ou -12' },
  optional: { en: 'optional', fr: 'facultatif' },
  cancel: { en: 'Cancel', fr: 'Annuler' },
  doIt: { en: 'Write it down', fr: 'Enregistrer' },
  done: { en: 'Noted: {action}.', fr: 'Noté : {action}.' },
  failed: { en: 'Not noted', fr: 'Non enregistré' },
  unsure: {
    en: 'Perhaps not noted. Write it down again: it is noted only once.',
    fr: 'Peut-être non enregistré. Enregistrez de nouveau : ce ne sera noté qu’une fois.',
  },

  // Variable editor.
  listed: { en: 'Values to choose from', fr: 'Valeurs à proposer' },

  // Annotation editor.
  incident: { en: 'Incidents', fr: 'Incidents' },
  model: { en: 'Changes of model or settings', fr: 'Changements du modèle ou des réglages' },
  release: { en: 'Releases of billing systems', fr: 'Versions des systèmes de facturation' },

  // Config editor.
  clickhouse: {
    en: 'ClickHouse: where recoup keeps what it found',
    fr: 'ClickHouse : où recoup garde ce qu’il a trouvé',
  },
  kafka: { en: 'Kafka: live cases and actions', fr: 'Kafka : dossiers en direct et actions' },
  kafkaHelp: {
    en: 'Without Kafka, boards work. Live cases, the lag, and the buttons on cases do not.',
    fr: 'Sans Kafka, les tableaux marchent, mais ni les dossiers en direct, ni le retard, ni les boutons des dossiers.',
  },
  address: { en: 'Address', fr: 'Adresse' },
  addressHelp: {
    en: 'Host and port of the native protocol, such as clickhouse:9000; with TLS, mostly 9440.',
    fr: 'Hôte et port du protocole natif, comme clickhouse:9000 ; avec TLS, souvent 9440.',
  },
  database: { en: 'Database', fr: 'Base de données' },
  username: { en: 'User', fr: 'Utilisateur' },
  usernameHelp: {
    en: 'A user who may only read the database of recoup suffices.',
    fr: 'Un utilisateur qui peut seulement lire la base de recoup suffit.',
  },
  password: { en: 'Password', fr: 'Mot de passe' },
  brokers: { en: 'Brokers', fr: 'Courtiers' },
  brokersHelp: {
    en: 'Host and port of one or more, with commas between them: kafka-1:9092, kafka-2:9092.',
    fr: 'Hôte et port d’un ou plusieurs, séparés par des virgules : kafka-1:9092, kafka-2:9092.',
  },
  mechanism: { en: 'Sign in', fr: 'Connexion' },
  none: { en: 'not at all', fr: 'sans' },
  topicPrefix: { en: 'Beginning of topic names', fr: 'Début des noms de sujets' },
  topicPrefixHelp: {
    en: 'Put before the usual names, recoup.cases and so on. By default nothing.',
    fr: 'Mis devant les noms habituels, recoup.cases, etc. Par défaut rien.',
  },
  group: { en: 'Consumer group of recoup', fr: 'Groupe de consommateurs de recoup' },
  groupHelp: { en: 'Whose lag is shown. By default recoup.', fr: 'Dont le retard est montré. Par défaut recoup.' },
  defaultSeller: { en: 'Usual seller', fr: 'Vendeur habituel' },
  defaultSellerHelp: { en: 'Of queries that name none.', fr: 'Des requêtes qui n’en nomment aucun.' },
  tls: { en: 'Encrypt the connection (TLS)', fr: 'Chiffrer la connexion (TLS)' },
  certificates: { en: 'Certificates', fr: 'Certificats' },
  certificatesHelp: {
    en: 'In PEM, used for ClickHouse and Kafka alike. Leave empty for servers that public authorities vouch for.',
    fr: 'En PEM, pour ClickHouse comme pour Kafka. Laissez vide si des autorités publiques se portent garantes.',
  },
  tlsCa: { en: 'Certificate of the authority', fr: 'Certificat de l’autorité' },
  tlsClientCertHelp: {
    en: 'Shown to ClickHouse or Kafka, whichever asks for one.',
    fr: 'Montré à ClickHouse ou à Kafka, si l’un le demande.',
  },
  tlsClientCert: { en: 'Certificate of this client', fr: 'Certificat de ce client' },
  tlsClientKey: { en: 'Key of this client', fr: 'Clé de ce client' },
  advanced: { en: 'Advanced', fr: 'Avancé' },
  clickhouseServerName: { en: 'Name in ClickHouse’s certificate', fr: 'Nom dans le certificat de ClickHouse' },
  kafkaServerName: { en: 'Name in Kafka’s certificate', fr: 'Nom dans le certificat de Kafka' },
  serverNameHelp: { en: 'Only where it differs from the address.', fr: 'Seulement s’il diffère de l’adresse.' },
  rowLimit: { en: 'Rows of one answer at most', fr: 'Lignes d’une réponse au plus' },
  rowLimitHelp: { en: 'From 1 to 10000. By default 5000.', fr: 'De 1 à 10000. Par défaut 5000.' },
  timeoutSeconds: { en: 'Seconds of one query at most', fr: 'Secondes d’une requête au plus' },
  timeoutSecondsHelp: {
    en: 'From 1 to 300. By default 30. Then the server is told to stop.',
    fr: 'De 1 à 300. Par défaut 30. Ensuite le serveur doit s’arrêter.',
  },
  faultRequired: {
    en: 'Fill this in: without it nothing can be shown.',
    fr: 'À remplir : sans cela, rien ne peut être montré.',
  },
  faultAddress: { en: 'Write host and port, such as server:9000.', fr: 'Écrivez hôte et port, comme serveur:9000.' },
  faultUsername: { en: 'To sign in takes a user.', fr: 'La connexion demande un utilisateur.' },
  faultLimit: { en: 'A whole number from 1 to 10000.', fr: 'Un nombre entier de 1 à 10000.' },
  faultTimeout: { en: 'A whole number from 1 to 300.', fr: 'Un nombre entier de 1 à 300.' },
  readOnly: {
    en: 'This data source is provisioned: its settings come from a file.',
    fr: 'Cette source est provisionnée : ses réglages viennent d’un fichier.',
  },
} satisfies Record<string, Text>;

/** A word of the editors. */
export type Word = keyof typeof words;

export function isWord(name: string): name is Word {
  return Object.hasOwn(words, name);
}
