BEGIN TRANSACTION;
CREATE TABLE account_counts (
	domain TEXT NOT NULL, 
	count BIGINT NOT NULL, 
	PRIMARY KEY (domain)
)
 WITHOUT ROWID


;
INSERT INTO "account_counts" VALUES('elsinore.lit',1);
INSERT INTO "account_counts" VALUES('verona.lit',2);
CREATE TABLE account_keys (
	owner TEXT NOT NULL, 
	mechanism TEXT NOT NULL, 
	salt BLOB NOT NULL, 
	iterations BIGINT NOT NULL, 
	stored_key BLOB NOT NULL, 
	server_key BLOB NOT NULL, 
	PRIMARY KEY (owner, mechanism)
)
 WITHOUT ROWID


;
INSERT INTO "account_keys" VALUES('hamlet@elsinore.lit','SCRAM-SHA-256',X'73616C74206F662068616D6C657440656C73696E6F72652E6C6974',10000,X'0000000000000000000000000000000000000000000000000000000000000000',X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF');
INSERT INTO "account_keys" VALUES('juliet@verona.lit','SCRAM-SHA-256',X'73616C74206F66206A756C696574407665726F6E612E6C6974',10000,X'0000000000000000000000000000000000000000000000000000000000000000',X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF');
INSERT INTO "account_keys" VALUES('romeo@verona.lit','SCRAM-SHA-256',X'73616C74206F6620726F6D656F407665726F6E612E6C6974',10000,X'0000000000000000000000000000000000000000000000000000000000000000',X'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF');
CREATE TABLE accounts (
	jid TEXT NOT NULL, 
	domain TEXT NOT NULL, 
	created BIGINT NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	PRIMARY KEY (jid)
)
 WITHOUT ROWID


;
INSERT INTO "accounts" VALUES('hamlet@elsinore.lit','elsinore.lit',1767225600000,1);
INSERT INTO "accounts" VALUES('juliet@verona.lit','verona.lit',1767225600000,0);
INSERT INTO "accounts" VALUES('romeo@verona.lit','verona.lit',1767225600000,0);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
)
;
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE archive_entries (
	id INTEGER NOT NULL, 
	number BIGINT NOT NULL, 
	stamp BIGINT NOT NULL, 
	flags BIGINT NOT NULL, 
	peer TEXT NOT NULL, 
	name TEXT, 
	body_at BIGINT, 
	body TEXT, 
	stanza TEXT NOT NULL, 
	PRIMARY KEY (id)
)
;
INSERT INTO "archive_entries" VALUES(452409753600000001,1,1767225600000,1,'juliet@verona.lit',NULL,64424509448,NULL,'<message><body>But soft</body></message>');
INSERT INTO "archive_entries" VALUES(452409753600000002,2,1767225600000,0,'romeo@verona.lit',NULL,NULL,NULL,'<message><body>unforgotten</body></message>');
CREATE TABLE archive_orphans (
	number INTEGER NOT NULL, 
	first BIGINT NOT NULL, 
	PRIMARY KEY (number)
)
;
CREATE TABLE archive_owners (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	owner TEXT NOT NULL, 
	count BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	first BIGINT NOT NULL, 
	UNIQUE (owner)
)
;
INSERT INTO "archive_owners" VALUES(1,'romeo@verona.lit',1,40,0);
INSERT INTO "archive_owners" VALUES(2,'paris@verona.lit',0,0,0);
CREATE TABLE archive_state (
	one INTEGER NOT NULL, 
	last BIGINT NOT NULL, 
	skew BIGINT NOT NULL, 
	mark BIGINT NOT NULL, 
	floor BIGINT NOT NULL, 
	PRIMARY KEY (one)
)
;
INSERT INTO "archive_state" VALUES(1,452409753600000002,0,452409753600000001,0);
CREATE VIRTUAL TABLE archive_terms USING fts5(
        terms, content='', detail=none, columnsize=0, tokenize="ascii tokenchars '_@#'")
;
INSERT INTO archive_terms (archive_terms, rank) VALUES ('automerge', 16);
INSERT INTO archive_terms (rowid, terms) VALUES (452409753600000001, '1c 1@3765593378 1_soft 1_but');
CREATE TABLE client_tokens (
	owner TEXT NOT NULL, 
	client TEXT NOT NULL, 
	used BOOLEAN NOT NULL, 
	mechanism TEXT NOT NULL, 
	salt BLOB NOT NULL, 
	issued BIGINT NOT NULL, 
	expires BIGINT NOT NULL, 
	count BIGINT, 
	PRIMARY KEY (owner, client, used)
)
 WITHOUT ROWID


;
CREATE TABLE clients (
	owner TEXT NOT NULL, 
	id TEXT NOT NULL, 
	software TEXT, 
	device TEXT, 
	address TEXT, 
	password BOOLEAN NOT NULL, 
	first_seen BIGINT NOT NULL, 
	last_seen BIGINT NOT NULL, 
	PRIMARY KEY (owner, id)
)
 WITHOUT ROWID


;
INSERT INTO "clients" VALUES('paris@verona.lit','ab','Count',NULL,NULL,1,1767225600000,1767225600000);
INSERT INTO "clients" VALUES('romeo@verona.lit','balcony','Psi','laptop','192.0.2.1',1,1767225600000,1767225600000);
CREATE TABLE key_values (
	owner TEXT NOT NULL, 
	namespace TEXT NOT NULL, 
	name TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (owner, namespace, name)
)
 WITHOUT ROWID


;
INSERT INTO "key_values" VALUES('paris@verona.lit','plugin','a',1,'2');
INSERT INTO "key_values" VALUES('romeo@verona.lit','plugin','a',1,'1');
CREATE TABLE last_activity (
	owner TEXT NOT NULL, 
	stamp BIGINT NOT NULL, 
	status TEXT, 
	PRIMARY KEY (owner)
)
 WITHOUT ROWID


;
INSERT INTO "last_activity" VALUES('romeo@verona.lit',1767225600000,'gone');
CREATE TABLE log_entries (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	owner TEXT NOT NULL, 
	namespace TEXT NOT NULL, 
	stamp BIGINT NOT NULL, 
	size BIGINT NOT NULL, 
	value TEXT NOT NULL
)
;
INSERT INTO "log_entries" VALUES(1,'romeo@verona.lit','plugin',1767225600000,1,'x');
CREATE TABLE offline (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	owner TEXT NOT NULL, 
	sender TEXT NOT NULL, 
	stamp BIGINT NOT NULL, 
	size BIGINT NOT NULL, 
	stanza TEXT NOT NULL
)
;
INSERT INTO "offline" VALUES(1,'romeo@verona.lit','juliet@verona.lit/balcony',1767225600000,34,'<message><body>ä</body></message>');
CREATE TABLE privacy_defaults (
	owner TEXT NOT NULL, 
	name TEXT NOT NULL, 
	PRIMARY KEY (owner)
)
 WITHOUT ROWID


;
INSERT INTO "privacy_defaults" VALUES('romeo@verona.lit','work');
CREATE TABLE privacy_lists (
	owner TEXT NOT NULL, 
	name TEXT NOT NULL, 
	rules TEXT NOT NULL, 
	PRIMARY KEY (owner, name)
)
 WITHOUT ROWID


;
INSERT INTO "privacy_lists" VALUES('romeo@verona.lit','work','<item/>');
CREATE TABLE private_elements (
	owner TEXT NOT NULL, 
	namespace TEXT NOT NULL, 
	name TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	element TEXT NOT NULL, 
	PRIMARY KEY (owner, namespace, name)
)
 WITHOUT ROWID


;
INSERT INTO "private_elements" VALUES('romeo@verona.lit','storage:bookmarks','storage',10,'<storage/>');
CREATE TABLE roster_items (
	owner TEXT NOT NULL, 
	jid TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	name TEXT, 
	group_names TEXT NOT NULL, 
	subscription TEXT NOT NULL, 
	ask BOOLEAN NOT NULL, 
	approved BOOLEAN NOT NULL, 
	listed BOOLEAN NOT NULL, 
	request TEXT, 
	PRIMARY KEY (owner, jid)
)
 WITHOUT ROWID


;
INSERT INTO "roster_items" VALUES('romeo@verona.lit','hamlet@elsinore.lit',0,NULL,'','none',0,0,0,'<presence type=''subscribe''/>');
INSERT INTO "roster_items" VALUES('romeo@verona.lit','juliet@verona.lit',1767225600000,'Juliet ☂','["Friends"]','both',0,0,1,NULL);
CREATE TABLE roster_removals (
	owner TEXT NOT NULL, 
	jid TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	PRIMARY KEY (owner, jid)
)
 WITHOUT ROWID


;
INSERT INTO "roster_removals" VALUES('romeo@verona.lit','paris@x.example',1767225600002);
CREATE TABLE rosters (
	owner TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	floor BIGINT NOT NULL, 
	listed BIGINT NOT NULL, 
	waiting BIGINT NOT NULL, 
	PRIMARY KEY (owner)
)
 WITHOUT ROWID


;
INSERT INTO "rosters" VALUES('romeo@verona.lit',1767225600002,1767225600000,1,1);
CREATE TABLE settings (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
)
 WITHOUT ROWID


;
INSERT INTO "settings" VALUES('motd','"hello"');
CREATE TABLE tombstones (
	jid TEXT NOT NULL, 
	deleted BIGINT NOT NULL, 
	PRIMARY KEY (jid)
)
 WITHOUT ROWID


;
INSERT INTO "tombstones" VALUES('paris@verona.lit',1767225600000);
CREATE TABLE totals (
	owner TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	count BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	PRIMARY KEY (owner, kind)
)
 WITHOUT ROWID


;
INSERT INTO "totals" VALUES('paris@verona.lit','values plugin',1,1);
INSERT INTO "totals" VALUES('romeo@verona.lit','log plugin',1,1);
INSERT INTO "totals" VALUES('romeo@verona.lit','offline',1,34);
INSERT INTO "totals" VALUES('romeo@verona.lit','private',1,10);
INSERT INTO "totals" VALUES('romeo@verona.lit','values plugin',1,1);
CREATE TABLE vcards (
	owner TEXT NOT NULL, 
	photo TEXT, 
	element TEXT NOT NULL, 
	PRIMARY KEY (owner)
)
 WITHOUT ROWID


;
INSERT INTO "vcards" VALUES('romeo@verona.lit','ab12','<vCard/>');
CREATE INDEX accounts_domain ON accounts (domain, jid);
CREATE INDEX roster_items_version ON roster_items (owner, version);
CREATE INDEX roster_removals_version ON roster_removals (owner, version);
CREATE INDEX offline_owner ON offline (owner, id);
CREATE INDEX offline_stamp ON offline (stamp);
CREATE INDEX log_entries_owner ON log_entries (owner, namespace, id);
CREATE INDEX clients_by_last_seen ON clients (last_seen);
CREATE TRIGGER offline_inserted AFTER INSERT ON offline BEGIN
        INSERT INTO totals (owner, kind, count, bytes) VALUES (new.owner, 'offline', 1, new.size)
        ON CONFLICT (owner, kind) DO UPDATE SET count = count + 1, bytes = bytes + new.size; END;
CREATE TRIGGER offline_updated AFTER UPDATE OF size ON offline BEGIN
        UPDATE totals SET bytes = bytes + new.size - old.size
        WHERE owner = new.owner AND kind = 'offline'; END;
CREATE TRIGGER offline_deleted AFTER DELETE ON offline BEGIN
        UPDATE totals SET count = count - 1, bytes = bytes - old.size
        WHERE owner = old.owner AND kind = 'offline';
        DELETE FROM totals WHERE owner = old.owner AND kind = 'offline' AND count = 0; END;
CREATE TRIGGER private_elements_inserted AFTER INSERT ON private_elements BEGIN
        INSERT INTO totals (owner, kind, count, bytes) VALUES (new.owner, 'private', 1, new.size)
        ON CONFLICT (owner, kind) DO UPDATE SET count = count + 1, bytes = bytes + new.size; END;
CREATE TRIGGER private_elements_updated AFTER UPDATE OF size ON private_elements BEGIN
        UPDATE totals SET bytes = bytes + new.size - old.size
        WHERE owner = new.owner AND kind = 'private'; END;
CREATE TRIGGER private_elements_deleted AFTER DELETE ON private_elements BEGIN
        UPDATE totals SET count = count - 1, bytes = bytes - old.size
        WHERE owner = old.owner AND kind = 'private';
        DELETE FROM totals WHERE owner = old.owner AND kind = 'private' AND count = 0; END;
CREATE TRIGGER key_values_inserted AFTER INSERT ON key_values BEGIN
        INSERT INTO totals (owner, kind, count, bytes) VALUES (new.owner, 'values ' || new.namespace, 1, new.size)
        ON CONFLICT (owner, kind) DO UPDATE SET count = count + 1, bytes = bytes + new.size; END;
CREATE TRIGGER key_values_updated AFTER UPDATE OF size ON key_values BEGIN
        UPDATE totals SET bytes = bytes + new.size - old.size
        WHERE owner = new.owner AND kind = 'values ' || new.namespace; END;
CREATE TRIGGER key_values_deleted AFTER DELETE ON key_values BEGIN
        UPDATE totals SET count = count - 1, bytes = bytes - old.size
        WHERE owner = old.owner AND kind = 'values ' || old.namespace;
        DELETE FROM totals WHERE owner = old.owner AND kind = 'values ' || old.namespace AND count = 0; END;
CREATE TRIGGER log_entries_inserted AFTER INSERT ON log_entries BEGIN
        INSERT INTO totals (owner, kind, count, bytes) VALUES (new.owner, 'log ' || new.namespace, 1, new.size)
        ON CONFLICT (owner, kind) DO UPDATE SET count = count + 1, bytes = bytes + new.size; END;
CREATE TRIGGER log_entries_updated AFTER UPDATE OF size ON log_entries BEGIN
        UPDATE totals SET bytes = bytes + new.size - old.size
        WHERE owner = new.owner AND kind = 'log ' || new.namespace; END;
CREATE TRIGGER log_entries_deleted AFTER DELETE ON log_entries BEGIN
        UPDATE totals SET count = count - 1, bytes = bytes - old.size
        WHERE owner = old.owner AND kind = 'log ' || old.namespace;
        DELETE FROM totals WHERE owner = old.owner AND kind = 'log ' || old.namespace AND count = 0; END;
CREATE TRIGGER accounts_inserted AFTER INSERT ON accounts BEGIN
        INSERT INTO account_counts (domain, count) VALUES (new.domain, 1)
        ON CONFLICT (domain) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER accounts_deleted AFTER DELETE ON accounts BEGIN
        UPDATE account_counts SET count = count - 1 WHERE domain = old.domain; END;
CREATE TRIGGER clients_deleted AFTER DELETE ON clients BEGIN
        DELETE FROM client_tokens WHERE owner = old.owner AND client = old.id; END;
CREATE TRIGGER archive_owners_deleted AFTER DELETE ON archive_owners BEGIN
        INSERT INTO archive_orphans (number, first) VALUES (old.number, old.first); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('offline',1);
INSERT INTO "sqlite_sequence" VALUES('log_entries',1);
INSERT INTO "sqlite_sequence" VALUES('archive_owners',2);
COMMIT;
