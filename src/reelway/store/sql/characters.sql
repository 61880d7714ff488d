-- Characters: what callers showed once. Their files belong to them alone.

-- name: add_character
-- A character whose files are in their place.
INSERT INTO characters (id, tenant, key_id, name, pictures, created_at)
VALUES (:id, :tenant, :key_id, :name, :pictures, :created_at)

-- name: end_removal
-- Its files are the character's now, unless somebody is removing them already.
DELETE FROM errands WHERE id = :id AND due_at = :due_at

-- name: character
-- One character by its id.
SELECT id, tenant, key_id, name, pictures, created_at FROM characters WHERE id = :id

-- name: delete_character
-- The row goes in the transaction that plans the removal of its files.
DELETE FROM characters WHERE id = :id
