//! Key pairs, regions, zones, and who one is.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::api::{Context, fields, page};
use super::call::{Call, Refused};
use super::chance::Purpose;
use super::fleet::{KeySpec, is_id, region_of};
use super::instances::stamp;
use super::log::Happening;
use super::world::World;
use crate::cloud::{BATCH, KeyId};

type Fields = Result<Map<String, Value>, Refused>;

impl World {
    pub(crate) fn describe_key_pairs(&self, call: &Call<'_>) -> Fields {
        let filters = call.filters(&["project-id", "key-name", "tag-key", "tag-value", "tag:"], 5)?;
        let names = call.texts("KeyIds");
        if !names.is_empty() && !filters.is_empty() {
            let message = "`KeyIds` and `Filters` can't be given together.";
            return Err(Refused::new("InvalidParameter", message));
        }
        if names.len() > BATCH {
            let message = "There are more than 100 key pairs.";
            return Err(Refused::new("InvalidParameterValue.LimitExceeded", message));
        }
        if let Some(name) = names.iter().find(|name| !is_id(name, "skey-")) {
            let message = format!("The key pair id `{name}` is malformed.");
            return Err(Refused::new("InvalidKeyPairId.Malformed", message));
        }
        let found = self.keys.iter().filter(|key| {
            (names.is_empty() || names.contains(&key.id.as_str()))
                && filters.iter().all(|wanted| match wanted.name {
                    "project-id" => wanted.has("0"),
                    "key-name" => wanted.has(&key.name),
                    _ => false,
                })
        });
        let (total, page) = page(call, found)?;
        let set: Vec<Value> = page.into_iter().map(|key| self.key_pair(key)).collect();
        Ok(fields([("TotalCount", json!(total)), ("KeyPairSet", Value::Array(set))]))
    }

    fn key_pair(&self, key: &KeySpec) -> Value {
        let bound = self.machines.iter().filter(|machine| machine.face.keys.contains(&key.id));
        let bound: Vec<_> = bound.map(|machine| &machine.spec.id).collect();
        json!({
            "KeyId": key.id, "KeyName": key.name, "ProjectId": 0, "Description": "",
            "PublicKey": key.public_key, "AssociatedInstanceIds": bound,
            "CreatedTime": stamp(self.began), "Tags": [],
        })
    }

    pub(crate) fn import_key_pair(&mut self, call: &Call<'_>, context: &Context<'_>) -> Fields {
        let name = call.text("KeyName").unwrap_or_default();
        let public_key = call.text("PublicKey").unwrap_or_default().trim();
        if name.is_empty() {
            return Err(Refused::new("InvalidKeyPairNameEmpty", "The key pair's name is empty."));
        }
        if name.chars().count() > 25 {
            let message = "The key pair's name has more than 25 characters.";
            return Err(Refused::new("InvalidKeyPairNameTooLong", message));
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let message = "The key pair's name may hold letters, digits and underscores only.";
            return Err(Refused::new("InvalidKeyPairNameIncludeIllegalChar", message));
        }
        if call.number("ProjectId") != Some(0) {
            return Err(Refused::new("InvalidProjectId.NotFound", "There is no such project."));
        }
        let Some(body) = rsa(public_key) else {
            let message = "The public key is not an OpenSSH RSA key.";
            return Err(Refused::new("InvalidPublicKey.Malformed", message));
        };
        if self.keys.iter().any(|key| key.name == name) {
            let message = format!("There is a key pair `{name}` already.");
            return Err(Refused::new("InvalidKeyPairName.Duplicate", message));
        }
        if self.keys.iter().any(|key| rsa(&key.public_key) == Some(body)) {
            let message = "There is a key pair with that public key already.";
            return Err(Refused::new("InvalidPublicKey.Duplicate", message));
        }
        let word = self.chance.word(Purpose::Credential, &[self.keys.len() as u64, u64::MAX], 8);
        let id = KeyId::new(format!("skey-{word}"));
        let key = KeySpec { id: id.clone(), name: name.to_owned(), public_key: public_key.to_owned() };
        self.keys.push(key);
        let request = context.request.to_owned();
        self.note(context.at, Happening::KeyImported { key: id.clone(), request });
        Ok(fields([("KeyId", json!(id))]))
    }

    pub(crate) fn describe_regions(&self) -> Map<String, Value> {
        let mut regions: Vec<&str> = self.fleet.regions().collect();
        regions.sort_unstable();
        regions.dedup();
        let set: Vec<Value> = regions
            .into_iter()
            .map(|region| json!({"Region": region, "RegionName": region, "RegionState": "AVAILABLE"}))
            .collect();
        fields([("TotalCount", json!(set.len())), ("RegionSet", Value::Array(set))])
    }

    pub(crate) fn describe_zones(&self, call: &Call<'_>) -> Map<String, Value> {
        let zones = self.fleet.zones.iter().enumerate();
        let set: Vec<Value> = zones
            .filter(|(_, zone)| region_of(zone) == Some(call.region))
            .map(|(number, zone)| {
                let id = (100_001 + number).to_string();
                json!({"Zone": zone, "ZoneName": zone, "ZoneId": id, "ZoneState": "AVAILABLE"})
            })
            .collect();
        fields([("TotalCount", json!(set.len())), ("ZoneSet", Value::Array(set))])
    }

    pub(crate) fn get_caller_identity(&self, context: &Context<'_>) -> Map<String, Value> {
        let account = &self.fleet.account;
        let temporary = self.access(context.secret_id).is_some_and(|access| access.token.is_some());
        let (arn, kind) = if temporary {
            (format!("qcs::sts::{account}:assumed-role/4611686018427387904"), "CAMRole")
        } else {
            (format!("qcs::cam::uin/{account}:uin/{account}"), "CAMUser")
        };
        fields([
            ("Arn", json!(arn)),
            ("AccountId", json!(account)),
            ("UserId", json!(account)),
            ("PrincipalId", json!(account)),
            ("Type", json!(kind)),
        ])
    }

    pub(crate) fn assume_role(&mut self, call: &Call<'_>) -> Fields {
        let arn = call.text("RoleArn").unwrap_or_default();
        if !arn.starts_with(&format!("qcs::cam::uin/{}:role", self.fleet.account)) {
            return Err(Refused::new("ResourceNotFound.RoleNotFound", format!("There is no role `{arn}`.")));
        }
        let session = call.text("RoleSessionName").unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=128).contains(&session.len()) || !session.chars().all(allowed) {
            let message = "The parameter `RoleSessionName` is not valid.";
            return Err(Refused::new("InvalidParameter.ParamError", message));
        }
        let seconds = call.number("DurationSeconds").unwrap_or(7200);
        let Some(seconds) = u64::try_from(seconds).ok().filter(|seconds| (1..=43_200).contains(seconds))
        else {
            let message = "The parameter `DurationSeconds` is out of range.";
            return Err(Refused::new("InvalidParameter.OverTimeError", message));
        };
        let valid = Duration::from_secs(seconds);
        let (id, key, token) = self.grant(valid);
        let until = self.now + valid;
        Ok(fields([
            ("Credentials", json!({"Token": token, "TmpSecretId": id, "TmpSecretKey": key})),
            ("ExpiredTime", json!(until.as_second())),
            ("Expiration", json!(stamp(until))),
        ]))
    }
}

/// The body of an OpenSSH RSA key; the vendor takes no other kind.
fn rsa(public_key: &str) -> Option<&str> {
    let mut words = public_key.split_whitespace();
    let kind = words.next()?;
    let body = words.next()?;
    (kind == "ssh-rsa" && body.starts_with("AAAAB3NzaC1yc2E")).then_some(body)
}
