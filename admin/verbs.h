/* Every command of splotctl: one object each, in the file of its family. */
#ifndef SPLOT_ADMIN_VERBS_H
#define SPLOT_ADMIN_VERBS_H

#include "admin/cli.h"

extern const struct verb verb_keygen, verb_enrol, verb_server_card;
extern const struct verb verb_trust, verb_waive;
extern const struct verb verb_freeze, verb_release, verb_redact;
extern const struct verb verb_rotate, verb_continue, verb_recover;
extern const struct verb verb_witnessed, verb_follow;
extern const struct verb verb_audit_verify, verb_audit_export, verb_audit_prove;
extern const struct verb verb_audit_check, verb_audit_consistency, verb_audit_evidence;
extern const struct verb verb_backup, verb_restore, verb_compare;
extern const struct verb verb_import, verb_export;
extern const struct verb verb_put, verb_retire, verb_confirm;
extern const struct verb verb_get, verb_list, verb_history, verb_log;
extern const struct verb verb_summary, verb_status, verb_check_config;

#endif
